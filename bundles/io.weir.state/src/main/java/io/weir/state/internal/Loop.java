package io.weir.state.internal;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread for all connections. A function that sends nothing, or half of something, holds a connection and no more. */
final class Loop implements Executor, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
  /** Of one instance; with one more the one that is idle for longest is closed. */
  private static final int MOST_CONNECTIONS = 64;
  private static final long TICK_MILLIS = 1000;
  private static final int BACKLOG = 128;

  private final Selector selector;
  private final Thread thread;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final Function<Loop, StateService> services;
  private final Map<InetAddress, Set<Connection>> connections = new HashMap<>();
  private final Queue<ServerSocketChannel> servers = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  Loop(Function<Loop, StateService> services) throws IOException {
    this.services = services;
    this.selector = Selector.open();
    this.thread = new Thread(this::run, "weir-state");
    thread.setDaemon(true);
    thread.start();
  }

  /** Accepts connections there from now on. */
  void listen(InetSocketAddress address) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open();
    try {
      server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      server.configureBlocking(false);
      server.bind(address, BACKLOG);
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
    servers.add(server);
    execute(() -> {
      try {
        server.register(selector, SelectionKey.OP_ACCEPT);
      } catch (IOException e) {
        LOG.error("nobody is accepted at {}", address, e);
      }
    });
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    selector.wakeup();
  }

  private void run() {
    StateService service = services.apply(this);
    while (!closed) {
      try {
        selector.select(anyDeadline() ? TICK_MILLIS : 0);
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
          task.run();
        }
        List<SelectionKey> ready = new ArrayList<>(selector.selectedKeys());
        selector.selectedKeys().clear();
        ready.forEach(key -> handle(key, service));
        expire();
      } catch (IOException | RuntimeException e) {
        LOG.error("unexpected failure while functions' state is served", e);
      }
    }
    selector.keys().forEach(key -> close(key.channel()));
    close(selector);
  }

  private void handle(SelectionKey key, StateService service) {
    if (key.attachment() instanceof Connection connection) {
      connection.ready();
    } else if (key.isValid() && key.channel() instanceof ServerSocketChannel server) {
      try {
        for (SocketChannel channel = server.accept(); channel != null; channel = server.accept()) {
          accepted(channel, service);
        }
      } catch (IOException e) {
        LOG.debug("a connection could not be accepted", e);
      }
    }
  }

  private void accepted(SocketChannel channel, StateService service) throws IOException {
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      InetAddress peer = ((InetSocketAddress) channel.getRemoteAddress()).getAddress();
      Set<Connection> all = connections.computeIfAbsent(peer, absent -> new LinkedHashSet<>());
      if (all.size() >= MOST_CONNECTIONS) {
        all.stream().filter(Connection::isIdle).findFirst().or(() -> all.stream().findFirst()).ifPresent(Connection::close);
      }
      Connection connection = new Connection(channel, channel.register(selector, SelectionKey.OP_READ), service, this,
          gone -> {
            Set<Connection> rest = connections.get(peer);
            if (rest != null && rest.remove(gone) && rest.isEmpty()) {
              connections.remove(peer, rest);
            }
          });
      connections.computeIfAbsent(peer, absent -> new LinkedHashSet<>()).add(connection);
    } catch (IOException | RuntimeException e) {
      close(channel);
      throw e;
    }
  }

  private boolean anyDeadline() {
    return connections.values().stream().flatMap(Set::stream).anyMatch(Connection::hasDeadline);
  }

  private void expire() {
    long now = System.nanoTime();
    connections.values().stream().flatMap(Set::stream).filter(connection -> connection.isOverdue(now)).toList()
        .forEach(Connection::close);
  }

  static void close(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      LOG.debug("already gone", e);
    }
  }

  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    try {
      thread.join(1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    servers.forEach(Loop::close);
  }
}
