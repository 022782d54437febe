package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/** Kills a gateway at named steps of a message's way; src/main/c/faults.c says how and where. */
final class Faults {
  /** In the order of faults.c; nothing of what is called nothing is done here, or not by itself. */
  private static final String[] KINDS =
      {"segment", "accept", "commit", "retry", "dead", "", "forget", "", "received", "settled", "state"};
  private static final String[] PHASES = {"write", "torn", "written", "forced"};
  private static final String[] TALKS = {"", "connect", "", "publish", "puback", "pubrec", "pubrel", "pubcomp", "subscribe", "",
      "", "", "", "", "", "", "call", "answer"};
  private static final int COUNTERS_AT = 2 * Integer.BYTES;

  private final Path library;
  private final Path file;
  private final MappedByteBuffer control;
  private final Map<String, Integer> steps = new LinkedHashMap<>();

  Faults(Path folder) throws Exception {
    Path source = folder.resolve("faults.c");
    library = folder.resolve("faults.so");
    file = folder.resolve("faults");
    try (InputStream in = Faults.class.getResourceAsStream("/faults.c")) {
      if (in == null) {
        throw new IOException("no faults.c in the class path");
      }
      Files.write(source, in.readAllBytes());
    }
    Gateway.exec("gcc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library.toString(), source.toString());
    for (int kind = 0; kind < KINDS.length; kind++) {
      for (int phase = 0; phase < PHASES.length && !KINDS[kind].isEmpty(); phase++) {
        steps.put(KINDS[kind] + "." + PHASES[phase], kind * PHASES.length + phase);
      }
    }
    int size = KINDS.length * PHASES.length;
    for (int talk = 0; talk < TALKS.length; talk++) {
      if (!TALKS[talk].isEmpty()) {
        steps.put(TALKS[talk] + (TALKS[talk].equals("answer") ? ".came" : ".send"),
            size + talk * 2 + (TALKS[talk].equals("answer") ? 1 : 0));
        if (!TALKS[talk].equals("answer")) {
          steps.put(TALKS[talk] + ".sent", size + talk * 2 + 1);
        }
      }
    }
    Files.write(file, new byte[COUNTERS_AT + Integer.BYTES * (size + TALKS.length * 2)]);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      control = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
    }
    control.order(ByteOrder.nativeOrder());
    disarm();
  }

  /** What the gateway's process needs in its environment. */
  Map<String, String> environment(Path journal, int brokerPort) {
    return Map.of("LD_PRELOAD", library.toString(), "WEIR_FAULTS", file.toString(), "WEIR_JOURNAL", journal.toString(),
        "WEIR_BROKER", Integer.toString(brokerPort));
  }

  Iterable<String> steps() {
    return steps.keySet();
  }

  /** Kills the gateway when it passes a step for the n-th time from now on. */
  void arm(String step, int n) {
    control.putInt(Integer.BYTES, n);
    control.putInt(0, steps.get(step));
  }

  void disarm() {
    control.putInt(0, -1);
  }

  /** How often a step was passed. */
  int passed(String step) {
    return control.getInt(COUNTERS_AT + Integer.BYTES * steps.get(step));
  }
}
