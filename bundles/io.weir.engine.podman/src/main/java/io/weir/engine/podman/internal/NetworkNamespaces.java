package io.weir.engine.podman.internal;

import io.weir.child.Root;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Network namespaces for functions, some of them made before they are needed. Each has the number of its address in its
 * name, serves one container and is then removed. Thread-safe.
 */
final class NetworkNamespaces implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkNamespaces.class);
  /** Rather than the moment after a take, when the container that took it wants the processor. */
  private static final long TEND_AFTER_MILLIS = 500;
  /** Numbers of up to five digits fit an interface name. */
  private static final int MOST = 65_000;
  private static final long CLOSE_SECONDS = 30;

  private final Bridge bridge;
  private final Program ip;
  private final int wanted;
  private final Pattern name;
  private final Queue<ReadyNetwork> ready = new ConcurrentLinkedQueue<>();
  /** Made by this object, and not yet removed. */
  private final Set<String> own = ConcurrentHashMap.newKeySet();
  private final Set<String> discarded = ConcurrentHashMap.newKeySet();
  private final ScheduledThreadPoolExecutor tender;
  private final AtomicBoolean tending = new AtomicBoolean();
  private int lastNumber = 1;
  private boolean failed;

  /** @param wanted how many to keep ready */
  NetworkNamespaces(Bridge bridge, Program ip, int wanted) {
    this.bridge = bridge;
    this.ip = ip;
    this.wanted = wanted;
    this.name = Pattern.compile(Pattern.quote(bridge.name() + "-") + "([1-9][0-9]{0,4})");
    this.tender = new ScheduledThreadPoolExecutor(1, task -> {
      Thread thread = new Thread(task, "weir-engine-networks");
      thread.setDaemon(true);
      return thread;
    });
    tender.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /**
   * Those of a gateway, if it may make any.
   *
   * @param hash tells this gateway's things from those of others
   */
  static Optional<NetworkNamespaces> possible(int hash, Settings settings) {
    Optional<Program> ip = Program.find("ip");
    if (!Root.possible()) {
      LOG.warn("Podman runs without root: functions start slower, and the kernel does nothing for them. Run the gateway as "
          + "root, or give its user the capabilities that it lacks: {}", String.join(" ", Root.lacking()));
      return Optional.empty();
    }
    if (ip.isEmpty()) {
      LOG.warn("functions start slower than they could, because Podman makes their network: apt install iproute2");
      return Optional.empty();
    }
    Optional<Subnet6> subnet6 = Subnet6.parse(settings.subnet6(), Subnet6.local(hash)).filter(wanted -> HostIpv6.enabled());
    Bridge bridge = new Bridge(hash, settings.subnet(), () -> Subnet.free(hash, Subnet.routed()).findFirst(), subnet6,
        ip.get(), new Outside(Program.find("nft")));
    return Optional.of(new NetworkNamespaces(bridge, ip.get(), settings.readyNetworks()));
  }

  /**
   * Sees to the bridge, and begins to keep namespaces ready.
   *
   * @param first done in the background before
   */
  void open(Runnable first) {
    bridge.ensure();
    useNumbersAfter(existing());
    tender.execute(() -> {
      try {
        first.run();
      } catch (EngineException e) {
        LOG.debug("the next sweep removes what an earlier gateway left", e);
      }
    });
    tend(0);
  }

  /** One that is ready, or else one made now. */
  ReadyNetwork take() {
    for (ReadyNetwork next = ready.poll(); next != null; next = ready.poll()) {
      tend(TEND_AFTER_MILLIS);
      if (usable(next)) {
        return next;
      }
      discard(next.name());
    }
    if (tender.isShutdown()) {
      throw new EngineException(Code.UNAVAILABLE, "no network for a container: the gateway is stopping");
    }
    return make();
  }

  /** Name of the host's end of a namespace's veth pair. */
  String port(String namespace) {
    return bridge.port(number(namespace));
  }

  private boolean usable(ReadyNetwork network) {
    String port = port(network.name());
    if (!bridge.has(port)) {
      bridge.ensure();
    }
    return bridge.has(port) && Files.exists(network.path());
  }

  /** Nothing ever lived in it. */
  void giveBack(ReadyNetwork unused) {
    if (tender.isShutdown()) {
      discard(unused.name());
    } else {
      ready.add(unused);
    }
  }

  /** Removes it, soon. */
  void discard(String namespace) {
    if (isOurs(namespace)) {
      discarded.add(namespace);
      if (tender.isShutdown()) {
        removeDiscarded();
      } else {
        tend(TEND_AFTER_MILLIS);
      }
    }
  }

  /** Those that exist and are of an earlier life of this gateway. */
  Set<String> inherited() {
    Set<String> found = existing();
    found.removeIf(namespace -> !inherits(namespace));
    return found;
  }

  boolean inherits(String namespace) {
    return isOurs(namespace) && !own.contains(namespace) && !discarded.contains(namespace)
        && Files.exists(ReadyNetwork.FOLDER.resolve(namespace));
  }

  /** The gateway's own address in the functions' network. */
  InetAddress gateway() {
    try {
      return InetAddress.getByName(bridge.ensured().host(1));
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);   // it is a literal
    }
  }

  /** Puts right what somebody else may have changed of the bridge and the packet filter. */
  void mend() {
    bridge.mend();
    tend(0);
  }

  private ReadyNetwork make() {
    Subnet subnet = bridge.ensured();
    int number = reserve(subnet);
    String made = bridge.name() + "-" + number;
    String port = bridge.port(number);
    String what = "making network namespace " + made;
    try {
      List<String> orders = new ArrayList<>(List.of("netns add " + made, "link add " + port
          + " type veth peer name eth0 address " + subnet.mac(number) + " netns " + made));
      orders.addAll(bridge.join(port));
      ip.run(what, orders, "-batch", "-");
      ip.run(what, inside(subnet, number), "-n", made, "-batch", "-");
      return new ReadyNetwork(made, subnet.host(number), bridge.subnet6().map(network -> network.host(number)));
    } catch (EngineException e) {
      discard(made);
      throw e;
    }
  }

  private List<String> inside(Subnet subnet, int number) {
    List<String> orders = new ArrayList<>(List.of("link set lo up"));
    if (HostIpv6.exists()) {
      // No link-local address: the only one it needs is the one that is given to it, or none.
      orders.add("link set eth0 addrgenmode none");
    }
    orders.addAll(List.of("addr add " + subnet.host(number) + "/" + subnet.prefix() + " dev eth0", "link set eth0 up",
        "route add default via " + subnet.host(1)));
    bridge.subnet6().ifPresent(network -> orders.addAll(List.of(
        "addr add " + network.host(number) + "/64 dev eth0 nodad", "route add default via " + network.host(1))));
    return orders;
  }

  /** Who still looks for something of an earlier life finds nothing else under its name. */
  private synchronized void useNumbersAfter(Set<String> inherited) {
    lastNumber = inherited.stream().mapToInt(this::number).max().orElse(lastNumber);
  }

  /** The number that was not used for longest, because clients keep connections by address. */
  private synchronized int reserve(Subnet subnet) {
    int last = Math.min(MOST, subnet.hosts());
    for (int tried = 1; tried < last; tried++) {
      lastNumber = lastNumber >= last ? 2 : lastNumber + 1;
      String candidate = bridge.name() + "-" + lastNumber;
      if (!Files.exists(ReadyNetwork.FOLDER.resolve(candidate)) && own.add(candidate)) {
        return lastNumber;
      }
    }
    throw new EngineException(Code.FAILED, "no address is free in the functions' network " + subnet
        + "; set a larger one in " + PodmanEngine.PID + ", key subnet");
  }

  private void tend(long afterMillis) {
    if (afterMillis > 0 && !tending.compareAndSet(false, true)) {
      return;
    }
    try {
      tender.schedule(this::tendNow, afterMillis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed: what is left goes with it, or at the next start");
    }
  }

  /** Does now what would be done in a moment, for tests. */
  void settle() {
    try {
      tender.submit(this::tendNow).get();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private void tendNow() {
    tending.set(false);
    try {
      removeDiscarded();
      while (ready.size() < wanted && !tender.isShutdown()) {
        ready.add(make());
      }
      failed = false;
    } catch (EngineException e) {
      if (!failed) {
        LOG.warn("no network is kept ready for functions, each start makes its own: {}", e.getMessage());
      }
      failed = true;
    }
  }

  private void removeDiscarded() {
    List<String> gone = List.copyOf(discarded);
    if (gone.isEmpty()) {
      return;
    }
    List<String> orders = new ArrayList<>();
    for (String namespace : gone) {
      // The port by itself, because a process that does not want to die may keep the namespace.
      orders.add("link del " + port(namespace));
      orders.add("netns del " + namespace);
    }
    try {
      ip.run("removing network namespaces", orders, "-force", "-batch", "-");
    } catch (EngineException e) {
      LOG.debug("some were gone already", e);
    }
    for (String namespace : gone) {
      if (!Files.exists(ReadyNetwork.FOLDER.resolve(namespace))) {
        discarded.remove(namespace);
        own.remove(namespace);
      }
    }
  }

  private boolean isOurs(String namespace) {
    return name.matcher(namespace).matches();
  }

  private int number(String namespace) {
    Matcher matcher = name.matcher(namespace);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(namespace);
    }
    return Integer.parseInt(matcher.group(1));
  }

  Set<String> existing() {
    Set<String> found = new HashSet<>();
    if (!Files.isDirectory(ReadyNetwork.FOLDER)) {
      return found;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(ReadyNetwork.FOLDER)) {
      files.forEach(file -> found.add(file.getFileName().toString()));
    } catch (IOException | DirectoryIteratorException e) {
      throw new EngineException(Code.FAILED, "cannot list network namespaces: " + e.getMessage(), e);
    }
    found.removeIf(namespace -> !isOurs(namespace));
    return found;
  }

  /** Removes the unused ones, and the bridge if no container is left to need it. */
  @Override
  public void close() {
    tender.shutdown();
    try {
      if (!tender.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("network namespaces are still being made; the next start removes what is left");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    try {
      ready.forEach(network -> discarded.add(network.name()));
      ready.clear();
      removeDiscarded();
      if (existing().isEmpty()) {
        bridge.remove();
      }
    } catch (EngineException e) {
      LOG.warn("the functions' network is not removed: {}", e.getMessage(), e);
    }
  }
}
