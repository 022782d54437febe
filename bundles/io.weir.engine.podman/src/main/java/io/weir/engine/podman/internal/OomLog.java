package io.weir.engine.podman.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Containers in which the kernel killed for memory, as the kernel's log has it. Podman 4.3 with runc never says so, and
 * the cgroup with its counters is gone before anybody could look; the log is the same on cgroup v1 and v2, and it also
 * has what happened while the gateway was away. Needs root; without, Podman's own word is all there is.
 */
final class OomLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OomLog.class);
  static final Path KERNEL_LOG = Path.of("/dev/kmsg");
  private static final Pattern KILL = Pattern.compile("oom-kill:.*task_memcg=[^,]*libpod-([0-9a-f]{64})");
  /** The kernel hands out one record a read and refuses smaller buffers. */
  private static final int LONGEST_RECORD = 16_384;
  private static final int REMEMBERED = 1024;

  private final Path log;
  private final Set<String> killed = Collections.synchronizedSet(Collections.newSetFromMap(
      new LinkedHashMap<String, Boolean>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > REMEMBERED;
        }
      }));
  private volatile @Nullable FileChannel channel;
  private volatile boolean closed;

  OomLog(Path log) {
    this.log = log;
    if (Files.isReadable(log)) {
      Thread reader = new Thread(this::read, "weir-engine-oom-log");
      reader.setDaemon(true);
      reader.start();
    }
  }

  boolean killedIn(String container) {
    return killed.contains(container);
  }

  private void read() {
    try (FileChannel open = FileChannel.open(log)) {
      channel = open;
      ByteBuffer record = ByteBuffer.allocate(LONGEST_RECORD);
      while (!closed) {
        int length = next(open, record.clear());
        if (length < 0) {
          return;
        }
        victim(new String(record.array(), 0, length, StandardCharsets.UTF_8)).ifPresent(killed::add);
      }
    } catch (ClosedChannelException e) {
      LOG.trace("closed", e);
    } catch (IOException e) {
      LOG.info("cannot read {} ({}); whether a function was killed for memory is only known as far as Podman says so",
          log, e.getMessage());
    }
  }

  /** EPIPE says that records were overwritten before they were read; the next read goes on behind them. */
  private static int next(FileChannel open, ByteBuffer record) throws IOException {
    try {
      return open.read(record);
    } catch (ClosedChannelException e) {
      throw e;
    } catch (IOException e) {
      if ("Broken pipe".equals(e.getMessage())) {
        return 0;
      }
      throw e;
    }
  }

  static Optional<String> victim(String record) {
    Matcher matcher = KILL.matcher(record);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  @Override
  public void close() throws IOException {
    closed = true;
    FileChannel open = channel;
    if (open != null) {
      open.close();
    }
  }
}
