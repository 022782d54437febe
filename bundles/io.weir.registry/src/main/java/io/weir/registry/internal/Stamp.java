package io.weir.registry.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.util.concurrent.TimeUnit;

/** What tells one content of a file from the next without reading it. */
record Stamp(long modified, long size, Object inode) {
  static Stamp of(Path file) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    return new Stamp(attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS), attributes.size(),
        String.valueOf(attributes.fileKey()));
  }

  /** The kernel's file times are a few milliseconds coarse: another change may come under the same stamp. */
  boolean isFresh(Clock clock) {
    return Math.abs(clock.millis() - modified / 1_000_000) < 50;
  }
}
