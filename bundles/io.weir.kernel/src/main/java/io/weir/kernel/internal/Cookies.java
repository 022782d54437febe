package io.weir.kernel.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Cookies of network namespaces, by which the programs know them. Asking means sending a thread there, so it is done once
 * for each. Thread-safe.
 */
final class Cookies {
  private static final int REMEMBERED = 2048;

  private record Known(Map<String, Object> file, long cookie) {}

  private final Ebpf ebpf;
  private final Map<Path, Known> known = new LinkedHashMap<>() {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<Path, Known> eldest) {
      return size() > REMEMBERED;
    }
  };

  Cookies(Ebpf ebpf) {
    this.ebpf = ebpf;
  }

  long of(Path namespace) {
    Map<String, Object> file = file(namespace);
    Known before = get(namespace);
    if (before != null && before.file().equals(file)) {
      return before.cookie();
    }
    long cookie = ebpf.netnsCookie(namespace);
    put(namespace, new Known(file, cookie));
    return cookie;
  }

  private synchronized @Nullable Known get(Path namespace) {
    return known.get(namespace);
  }

  private synchronized void put(Path namespace, Known fresh) {
    known.put(namespace, fresh);
  }

  /** Inodes of namespaces are used again soon; the time tells them apart. */
  private static Map<String, Object> file(Path namespace) {
    try {
      return Files.readAttributes(namespace, "unix:dev,ino,ctime");
    } catch (IOException e) {
      throw new KernelError("looking at " + namespace, KernelError.ENOENT);
    }
  }
}
