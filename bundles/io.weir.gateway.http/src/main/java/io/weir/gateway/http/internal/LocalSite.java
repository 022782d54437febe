package io.weir.gateway.http.internal;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The admin API at a port that only this machine reaches, for a host whose web server is not for us. */
final class LocalSite implements Site {
  private static final Logger log = LoggerFactory.getLogger(LocalSite.class);
  private static final String HOST = "127.0.0.1";
  private static final int THREADS = 8;

  private final Router router;
  private final ThreadPoolExecutor threads = new ThreadPoolExecutor(THREADS, THREADS, 5, TimeUnit.SECONDS,
      new LinkedBlockingQueue<>(), work -> {
        Thread thread = new Thread(work, "weir-http-local");
        thread.setDaemon(true);
        return thread;
      });
  private final Optional<HttpServer> server;
  private final String state;

  /** @param port 0 for any that is free */
  LocalSite(Router router, int port) {
    this.router = router;
    threads.allowCoreThreadTimeOut(true);
    HttpServer made = null;
    String told;
    try {
      made = HttpServer.create(new InetSocketAddress(HOST, port), 0);
      made.createContext(Router.BASE, this::handle);
      made.setExecutor(threads);
      made.start();
      told = "serving " + address(made) + Router.BASE;
    } catch (IOException e) {
      told = "port " + port + " of this machine cannot be had (" + e.getMessage() + "); choose another 'Local port' in '"
          + HttpConfig.NAME + "'";
      log.warn("{}", told);
    }
    this.server = Optional.ofNullable(made);
    this.state = told;
  }

  private static String address(HttpServer server) {
    return "http://" + HOST + ":" + server.getAddress().getPort();
  }

  /** Where it is served, without the path; empty if it is not. */
  Optional<String> address() {
    return server.map(LocalSite::address);
  }

  private void handle(HttpExchange http) throws IOException {
    LocalExchange exchange = new LocalExchange(http);
    exchange.header("X-Content-Type-Options", "nosniff");
    String path = http.getRequestURI().getPath().substring(Router.BASE.length());
    try {
      OwnOrigin.require(exchange);
      router.route(exchange, path.isEmpty() ? "/" : path);
      exchange.end();
    } catch (Problem problem) {
      exchange.end(problem);
    } finally {
      exchange.close();
    }
  }

  @Override
  public boolean ready() {
    return server.isPresent();
  }

  @Override
  public String state() {
    return state;
  }

  @Override
  public void close() {
    server.ifPresent(it -> it.stop(0));
    threads.shutdownNow();
  }
}
