package io.weir.kura.internal;

import java.util.concurrent.ThreadFactory;

/** Makes threads that do not keep Kura from going down. */
final class Threads {
  private Threads() {}

  static ThreadFactory daemon(String name) {
    return work -> {
      Thread made = new Thread(work, name);
      made.setDaemon(true);
      return made;
    };
  }
}
