package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.engine.Residence;
import io.weir.function.FunctionName;
import io.weir.kernel.Routes;
import io.weir.kernel.Traffic.Member;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** A gateway's place on this kernel, under names of its own, and processes that live as functions do. Needs root. */
final class Lab implements AutoCloseable {
  private static final AtomicInteger LABS = new AtomicInteger();
  /** Answers with the number of the request; listens when its standard input says so, and where that says. */
  private static final String SERVER = """
      import sys, threading, http.server, socket
      count, lock = 0, threading.Lock()
      class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        def do_GET(self):
          global count
          if self.path == "/slow":
            release.wait()
          with lock:
            count += 1
            body = str(count).encode()
          self.send_response(404 if self.path == "/none" else 200)
          self.send_header("Content-Length", str(len(body)))
          self.end_headers()
          self.wfile.write(body)
        def do_POST(self):
          body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
          if self.path != "/echo":
            return self.do_GET()
          self.send_response(200)
          self.send_header("Content-Length", str(len(body)))
          self.end_headers()
          self.wfile.write(body)
        def log_message(self, *args): pass
      class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6
        request_queue_size = 128
        daemon_threads = True
      release = threading.Event()
      print("born", flush=True)
      address = sys.stdin.readline().strip()
      if ":" not in address:
        Server.address_family = socket.AF_INET
      server = Server((address, 8080), Handler)
      print("listens", flush=True)
      threading.Thread(target=server.serve_forever, daemon=True).start()
      sys.stdin.readline()
      release.set()
      sys.stdin.readline()
      """;

  final Path run;
  final Path cgroup;
  final String hash;
  final Features features = new Features(Engagement.WAITING);
  private final int number = LABS.incrementAndGet();
  private final List<House> houses = new ArrayList<>();
  private final List<Device> devices = new ArrayList<>();
  Settings.Shortcut shortcut = Settings.Shortcut.ALL;
  private Engagement engagement;
  private Optional<Routes> routes = Optional.empty();

  Lab(Path run) throws IOException {
    this.run = run;
    this.hash = String.format("%08x", (int) ProcessHandle.current().pid() << 8 | number);
    this.cgroup = Files.createDirectory(Mounts.cgroup2().orElseThrow().resolve("weirlab-" + hash));
  }

  DataPlane engage() throws Exception {
    return engage(Settings.Way.PROXY);
  }

  DataPlane engage(Settings.Way way) throws Exception {
    CompletableFuture<DataPlane> ready = new CompletableFuture<>();
    CompletableFuture<Routes> routed = new CompletableFuture<>();
    engagement = new Engagement(new Engagement.Place(run.resolve("files"), run, "/ebpf/", hash), new Settings(true, way, shortcut),
        features, () -> Optional.of(cgroup), new Engagement.Users() {
          @Override
          public boolean engineReady() {
            return true;
          }

          @Override
          public void changed() {}

          @Override
          public void counted(DataPlane plane) {
            ready.complete(plane);
          }

          @Override
          public void routed(Routes found) {
            routed.complete(found);
          }
        });
    engagement.start();
    routes = way == Settings.Way.PROXY ? Optional.empty() : Optional.of(routed.get(30, TimeUnit.SECONDS));
    return ready.get(30, TimeUnit.SECONDS);
  }

  Routes routes() {
    return routes.orElseThrow();
  }

  /** As if the gateway were killed. */
  void kill() {
    engagement.abandon();
    engagement = null;
  }

  void disengage() {
    engagement.close();
    engagement = null;
  }

  Path pins() {
    return (Mounts.isMounted(Path.of("/sys/fs/bpf"), "bpf") ? Path.of("/sys/fs/bpf") : run.resolve("bpf"))
        .resolve("weir-" + hash);
  }

  House house() throws Exception {
    House house = new House(houses.size() + 1);
    houses.add(house);
    return house;
  }

  Device device() throws Exception {
    Device device = new Device();
    devices.add(device);
    return device;
  }

  /** Whether the kernel runs programs of ours on this cgroup. */
  String attached() throws Exception {
    return output("bpftool", "cgroup", "tree", cgroup.toString());
  }

  static String output(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(String.join(" ", command) + ": " + said).isZero();
    return said;
  }

  @Override
  public void close() throws Exception {
    if (engagement != null) {
      disengage();
    }
    for (House house : houses) {
      house.close();
    }
    for (Device device : devices) {
      device.close();
    }
    Files.delete(cgroup);
    assertThat(pins()).doesNotExist();
    assertThat(Mounts.isMounted(run.resolve("bpf"), "bpf")).isFalse();
  }

  /** A network namespace and a cgroup with one HTTP server in it. */
  final class House implements AutoCloseable {
    final String name;
    final String port;
    final String address;
    final String address6;
    final Path group;
    final String container;
    private final Process process;
    private boolean removed;

    House(int n) throws Exception {
      name = "weirlab-" + hash + "-" + n;
      port = "wl" + hash + "-" + n;
      String net = "10." + (200 + number % 50) + "." + (ProcessHandle.current().pid() % 200 + n) + ".";
      address = net + "2";
      String net6 = "fd00:" + hash.substring(0, 4) + ":" + hash.substring(4) + ":" + n + "::";
      address6 = net6 + "2";
      container = String.format("%8s%02d", hash, n).repeat(7).substring(0, 64);
      group = Files.createDirectory(cgroup.resolve("libpod-" + n));
      output("ip", "netns", "add", name);
      output("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name);
      output("ip", "addr", "add", net + "1/24", "dev", port);
      output("ip", "link", "set", port, "up");
      output("ip", "-n", name, "link", "set", "lo", "up");
      output("ip", "-n", name, "addr", "add", address + "/24", "dev", "eth0");
      output("ip", "-n", name, "link", "set", "eth0", "up");
      output("ip", "-n", name, "route", "add", "default", "via", net + "1");
      output("ip", "addr", "add", net6 + "1/64", "dev", port, "nodad");
      output("ip", "-n", name, "addr", "add", address6 + "/64", "dev", "eth0", "nodad");
      output("ip", "-n", name, "route", "add", "default", "via", net6 + "1");
      process = new ProcessBuilder("sh", "-c", "echo $$ > \"$0\"/cgroup.procs && exec ip netns exec \"$1\" python3 -c \"$2\"",
          group.toString(), name, SERVER).redirectErrorStream(true).start();
      said("born");
    }

    private void said(String expected) throws IOException {
      InputStream in = process.getInputStream();
      StringBuilder line = new StringBuilder();
      for (int c = in.read(); c != '\n' && c >= 0; c = in.read()) {
        line.append((char) c);
      }
      assertThat(line.toString()).isEqualTo(expected);
    }

    private void tell(String line) throws IOException {
      process.getOutputStream().write((line + '\n').getBytes());
      process.getOutputStream().flush();
    }

    /** At every address. */
    void listen() throws IOException {
      listen("::");
    }

    void listen(String at) throws IOException {
      tell(at);
      said("listens");
    }

    /** Lets requests to /slow be answered. */
    void release() throws IOException {
      tell("");
    }

    long pid() {
      return process.pid();
    }

    Residence residence() {
      return new Residence(Optional.of(group), Optional.of(Path.of("/run/netns", name)), Optional.of(port),
          Optional.empty(), Optional.empty());
    }

    Member member(String function, String... egress) throws Exception {
      return new Member(container, new FunctionName(function),
          new InetSocketAddress(InetAddress.getByName(address), 8080), residence(), 8, List.of(egress), false);
    }

    /** As if one of the gateway's runners served it. */
    Member runner(String function) throws Exception {
      Member plain = member(function);
      return new Member(container, plain.function(), plain.address(), residence(), 8, List.of(), true);
    }

    /** As it is before packets can be led to it. */
    Member withoutPort(String function) throws Exception {
      Member plain = member(function);
      return new Member(container, plain.function(), plain.address(), new Residence(plain.residence().cgroup(),
          plain.residence().namespace(), Optional.empty(), Optional.empty(), Optional.empty()), 8, List.of(), false);
    }

    /** The same with its IPv6 address. */
    Member member6(String function) throws Exception {
      Member plain = member(function);
      return new Member(container, plain.function(), plain.address(), new Residence(plain.residence().cgroup(),
          plain.residence().namespace(), plain.residence().port(), Optional.empty(),
          Optional.of(InetAddress.getByName(address6))), 8, List.of(), false);
    }

    String uri(String path) {
      return "http://" + address + ":8080" + path;
    }

    void removePort() throws Exception {
      output("ip", "link", "del", port);
      removed = true;
    }

    /** Its network is gone. */
    void unplug() throws Exception {
      output("ip", "link", "set", port, "down");
    }

    void end() throws Exception {
      process.destroyForcibly().waitFor();
    }

    @Override
    public void close() throws Exception {
      end();
      if (!removed) {
        removePort();
      }
      output("ip", "netns", "del", name);
      try (Stream<Path> groups = Files.walk(group)) {
        for (Path each : groups.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    }
  }

  /** A client on a network of its own. */
  final class Device implements AutoCloseable {
    final String name = "weirlab-" + hash + "-d";
    final String port = "wl" + hash + "-d";
    final String gateway = "10." + (150 + number % 50) + "." + ProcessHandle.current().pid() % 200 + ".1";
    final String address = gateway.substring(0, gateway.length() - 1) + "2";
    final String gateway6 = "fd01:" + hash.substring(0, 4) + ":" + hash.substring(4) + "::1";

    Device() throws Exception {
      output("ip", "netns", "add", name);
      plug();
    }

    void plug() throws Exception {
      output("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name);
      output("ip", "addr", "add", gateway + "/24", "dev", port);
      output("ip", "link", "set", port, "up");
      output("ip", "-n", name, "addr", "add", address + "/24", "dev", "eth0");
      output("ip", "-n", name, "link", "set", "eth0", "up");
      output("ip", "-n", name, "route", "add", "default", "via", gateway);
      output("ip", "addr", "add", gateway6 + "/64", "dev", port, "nodad");
      output("ip", "-n", name, "addr", "add", gateway6.substring(0, gateway6.length() - 1) + "2/64", "dev", "eth0", "nodad");
    }

    void unplug() throws Exception {
      output("ip", "link", "del", port);
    }

    /** The answer, or else "curl" and its exit code: 7 for refused, 28 for silence. */
    String get(int service) throws Exception {
      return get(gateway, service);
    }

    String get6(int service) throws Exception {
      return get('[' + gateway6 + ']', service);
    }

    private String get(String host, int service) throws Exception {
      return output("ip", "netns", "exec", name, "sh", "-c",
          "curl -g -s -m 2 http://" + host + ":" + service + "/ || echo -n curl $?");
    }

    /** A connection that stays. */
    Client connect(int service) throws IOException {
      return new Client(new ProcessBuilder("ip", "netns", "exec", name, "python3", "-c", """
          import socket, sys
          s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
          for line in sys.stdin:
            try:
              s.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
              s.settimeout(1)
              print(s.recv(4096).decode().split("\\r\\n")[0], flush=True)
            except OSError as e:
              print(e, flush=True)
          """, gateway, "" + service).redirectErrorStream(true).start());
    }

    @Override
    public void close() throws Exception {
      unplug();
      output("ip", "netns", "del", name);
    }
  }

  /** Asks on one connection, again and again. */
  static final class Client implements AutoCloseable {
    private final Process process;
    private final BufferedReader answers;

    Client(Process process) {
      this.process = process;
      this.answers = new BufferedReader(new InputStreamReader(process.getInputStream()));
    }

    String ask() throws IOException {
      process.getOutputStream().write('\n');
      process.getOutputStream().flush();
      return String.valueOf(answers.readLine());
    }

    @Override
    public void close() throws Exception {
      process.destroyForcibly().waitFor();
    }
  }
}
