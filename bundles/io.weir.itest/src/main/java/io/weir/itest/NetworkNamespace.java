package io.weir.itest;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A named network namespace, with a thread that lives in it: sockets belong to where they are made, whoever uses them. */
final class NetworkNamespace implements AutoCloseable {
  private static final int CLONE_NEWNET = 0x40000000;

  static {
    Native.register(NetworkNamespace.class, "c");
  }

  private final String name;
  private final ExecutorService inhabitant;

  private static native int open(String path, int flags) throws LastErrorException;

  private static native int setns(int fd, int kind) throws LastErrorException;

  private static native int close(int fd) throws LastErrorException;

  NetworkNamespace(String name) throws Exception {
    this.name = name;
    Gateway.exec("ip", "netns", "add", name);
    this.inhabitant = Executors.newSingleThreadExecutor(work -> {
      Thread thread = new Thread(work, name);
      thread.setDaemon(true);
      return thread;
    });
    inside(() -> {
      int fd = open("/run/netns/" + name, 0);
      try {
        return setns(fd, CLONE_NEWNET);
      } finally {
        close(fd);
      }
    });
    Gateway.exec("ip", "-n", name, "link", "set", "lo", "up");
  }

  String name() {
    return name;
  }

  <T> T inside(Callable<T> work) throws Exception {
    try {
      return inhabitant.submit(work).get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  /** What lives in it goes on until it ends by itself. */
  @Override
  public void close() throws Exception {
    inhabitant.shutdown();
    Gateway.exec("ip", "netns", "del", name);
  }
}
