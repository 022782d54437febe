package io.weir.kernel.internal;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the programs note, in the order of enum weir_note. */
final class Notes {
  private static final List<String> WORDS = List.of("signal-lost", "flow-lost", "held", "no-listener", "routed", "local",
      "denied-source", "denied-rate", "denied-egress", "malformed", "stale", "unknown", "handed-over");

  private Notes() {}

  static Map<String, Long> read(Maps maps) {
    ByteBuffer values = Layout.buffer(maps.ebpf().read(maps.fd("notes"), 0, WORDS.size(), Long.BYTES));
    Map<String, Long> notes = new LinkedHashMap<>();
    WORDS.forEach(word -> notes.put(word, values.getLong()));
    return notes;
  }

  static int count() {
    return WORDS.size();
  }
}
