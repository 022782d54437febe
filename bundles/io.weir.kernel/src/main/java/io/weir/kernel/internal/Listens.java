package io.weir.kernel.internal;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Who waits for a process to listen. The last listens are remembered for a while, because a process may be faster than
 * whoever asks for it. Thread-safe; futures complete outside the lock.
 */
final class Listens {
  private static final int REMEMBERED = 1024;
  /** Who asks later than that asks for a process that listens still, or for the next one in a namespace that is used again. */
  private static final long RECENT_NANOS = Duration.ofSeconds(5).toNanos();

  private record Socket(long netns, int port) {}

  private record Seen(long atNanos, int family, boolean everywhere) {}

  private final Map<Socket, Seen> seen = new LinkedHashMap<>() {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<Socket, Seen> eldest) {
      return size() > REMEMBERED;
    }
  };
  private final Map<Socket, List<CompletableFuture<Boolean>>> waiting = new HashMap<>();

  /** @param nowNanos of the kernel's clock */
  CompletableFuture<Boolean> await(long netns, int port, long nowNanos) {
    CompletableFuture<Boolean> future = new CompletableFuture<>();
    Socket socket = new Socket(netns, port);
    synchronized (this) {
      Seen known = seen.get(socket);
      if (known != null && nowNanos - known.atNanos() < RECENT_NANOS) {
        return CompletableFuture.completedFuture(known.everywhere());
      }
      waiting.computeIfAbsent(socket, key -> new ArrayList<>()).add(future);
    }
    future.whenComplete((done, failure) -> forget(socket, future));
    return future;
  }

  private synchronized void forget(Socket socket, CompletableFuture<Boolean> future) {
    waiting.computeIfPresent(socket, (key, futures) -> {
      futures.remove(future);
      return futures.isEmpty() ? null : futures;
    });
  }

  void heard(long netns, int port, int family, boolean everywhere, long atNanos) {
    Socket socket = new Socket(netns, port);
    List<CompletableFuture<Boolean>> done;
    synchronized (this) {
      seen.remove(socket);
      seen.put(socket, new Seen(atNanos, family, everywhere));
      done = Optional.ofNullable(waiting.remove(socket)).map(List::copyOf).orElse(List.of());
    }
    done.forEach(future -> future.complete(everywhere));
  }

  /** The address family of who listened there last. */
  synchronized Optional<Integer> family(long netns, int port) {
    return Optional.ofNullable(seen.get(new Socket(netns, port))).map(Seen::family);
  }

  /** Nobody listens there any more. */
  synchronized void over(long netns) {
    for (Iterator<Socket> sockets = seen.keySet().iterator(); sockets.hasNext();) {
      if (sockets.next().netns() == netns) {
        sockets.remove();
      }
    }
  }

  /** Nobody hears them any more: those who wait look for themselves. */
  void close() {
    List<CompletableFuture<Boolean>> left;
    synchronized (this) {
      left = waiting.values().stream().flatMap(List::stream).toList();
      waiting.clear();
    }
    left.forEach(future -> future.complete(false));
  }
}
