package io.weir.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The proxies that others put before a function, set up the way their manuals say, one process each. */
final class Sidecars implements AutoCloseable {
  private final List<Process> started = new ArrayList<>();

  record Sidecar(String name, int port, List<Long> processes) {}

  /** haproxy and nginx, with connections kept on both sides. */
  List<Sidecar> start(String host, InetSocketAddress function) throws Exception {
    Path work = Files.createDirectories(Path.of(System.getProperty("weir.work"), "sidecars"));
    String server = function.getHostString() + ":" + function.getPort();
    int haproxy = freePort();
    Path haproxyConf = Files.writeString(work.resolve("haproxy.cfg"), """
        global
          maxconn 500
          nbthread 1
        defaults
          mode http
          timeout connect 5s
          timeout client 30s
          timeout server 30s
        frontend in
          bind %s:%d
          default_backend function
        backend function
          http-reuse always
          server function %s
        """.formatted(host, haproxy, server));
    int nginx = freePort();
    Path nginxConf = Files.writeString(work.resolve("nginx.conf"), """
        daemon off;
        master_process off;
        pid %1$s/nginx.pid;
        error_log %1$s/nginx.log;
        events { worker_connections 400; }
        http {
          access_log off;
          client_body_temp_path %1$s/body;
          proxy_temp_path %1$s/proxy;
          fastcgi_temp_path %1$s/fastcgi;
          uwsgi_temp_path %1$s/uwsgi;
          scgi_temp_path %1$s/scgi;
          upstream function { server %2$s; keepalive 32; }
          server {
            listen %3$s:%4$d;
            keepalive_requests 1000000;
            location / { proxy_pass http://function; proxy_http_version 1.1; proxy_set_header Connection ""; }
          }
        }
        """.formatted(work, server, host, nginx));
    return List.of(
        start("haproxy", host, haproxy, "haproxy", "-db", "-f", haproxyConf.toString()),
        start("nginx", host, nginx, "nginx", "-p", work.toString(), "-c", nginxConf.toString()));
  }

  private Sidecar start(String name, String host, int port, String... command) throws Exception {
    Path log = Path.of(System.getProperty("weir.work"), "sidecars", name + ".out");
    Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    started.add(process);
    Wire.await(new InetSocketAddress(host, port));
    try (Stream<ProcessHandle> children = process.descendants()) {
      return new Sidecar(name, port, Stream.concat(Stream.of(process.pid()), children.map(ProcessHandle::pid)).toList());
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  @Override
  public void close() throws Exception {
    for (Process process : started) {
      process.destroy();
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    }
  }
}
