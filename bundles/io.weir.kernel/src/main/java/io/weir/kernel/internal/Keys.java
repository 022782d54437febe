package io.weir.kernel.internal;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All keys of a map that nobody else changes meanwhile. */
final class Keys {
  private Keys() {}

  static List<byte[]> of(EbpfLibrary library, int map, int size) {
    List<byte[]> keys = new ArrayList<>();
    byte @Nullable [] previous = null;
    while (true) {
      byte[] next = new byte[size];
      int result = library.weir_map_next(map, previous, next);
      if (result == -KernelError.ENOENT) {
        return keys;
      }
      if (result < 0) {
        throw new KernelError("listing a map", -result);
      }
      keys.add(next);
      previous = next;
    }
  }
}
