package io.weir.pool.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether the machine is short of memory: by pressure stall information where the kernel has it, and by what is free. */
final class MemoryPressure {
  /** Per cent of the last 10 s in which some task waited for memory. */
  private static final double STALLED = 10;
  /** Stalls count while less than so many times the least is available. */
  private static final int NEARLY = 4;
  private static final Pattern SOME = Pattern.compile("^some avg10=([0-9.]+)", Pattern.MULTILINE);

  private final Path proc;
  private final int leastAvailablePercent;

  MemoryPressure(Path proc, int leastAvailablePercent) {
    this.proc = proc;
    this.leastAvailablePercent = leastAvailablePercent;
  }

  /** RAM of the machine, in bytes. */
  long total() {
    return meminfo("MemTotal").orElse(1L << 30);
  }

  boolean isHigh() {
    long total = total();
    long available = meminfo("MemAvailable").orElse(total);
    long least = total / 100 * leastAvailablePercent;
    if (available < least) {
      return true;
    }
    // A function that fights its own limit stalls too; that is no reason to stop others while there is memory.
    Matcher stalled = SOME.matcher(text("pressure/memory"));
    return available < NEARLY * least && stalled.find() && Double.parseDouble(stalled.group(1)) > STALLED;
  }

  private Optional<Long> meminfo(String field) {
    Matcher value = Pattern.compile("^" + field + ":\\s+(\\d+) kB", Pattern.MULTILINE).matcher(text("meminfo"));
    return value.find() ? Optional.of(Long.parseLong(value.group(1)) << 10) : Optional.empty();
  }

  private String text(String file) {
    // A file of /proc has no size, and this way it is read as one piece.
    try (var in = Files.newInputStream(proc.resolve(file))) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      return "";   // a kernel without pressure stall information
    }
  }
}
