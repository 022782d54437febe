package io.weir.child;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A program that is started, restarted with a growing delay whenever it ends, and stopped on {@link #close}.
 *
 * <p>The child dies with the gateway even if that is killed with SIGKILL: it runs under {@code setpriv --pdeathsig}
 * (util-linux). That signal follows the thread that forked, so one thread both forks and waits, for the whole life of
 * the child. Thread-safe.
 */
public final class SupervisedProcess implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SupervisedProcess.class);
  private static final Path SETPRIV = Path.of("/usr/bin/setpriv");
  private static final Duration FIRST_DELAY = Duration.ofMillis(200);
  private static final Duration LONGEST_DELAY = Duration.ofSeconds(30);
  /** A child that lived this long was well; the next delay starts small again. */
  private static final Duration WELL = Duration.ofSeconds(20);

  /** What the owner of the child hears; calls come on the supervising thread. */
  public interface Listener {
    /**
     * What the program writes to standard output, unless the command redirects that; called before {@link #started},
     * with a stream that ends when the program does. Read it on a thread of your own, or the program blocks.
     */
    default void output(InputStream stream) {}

    /** The program was started; it may not be ready yet. */
    void started(long pid, boolean again);

    /** The program ended although nobody asked it to; it is started again after {@code delay}. */
    void died(int exitCode, Duration delay);
  }

  /** Makes the command for each start, so that it may prepare files; an exception counts as a failed start. */
  public interface Command {
    ProcessBuilder prepare() throws IOException;
  }

  private final String name;
  private final Command command;
  private final Listener listener;
  private final Duration grace;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;
  private volatile @Nullable Process process;

  /**
   * Starts supervising at once, on a thread of its own.
   *
   * @param name for logs and the thread
   * @param grace between SIGTERM and SIGKILL on close
   */
  public SupervisedProcess(String name, Command command, Listener listener, Duration grace) {
    this.name = name;
    this.command = command;
    this.listener = listener;
    this.grace = grace;
    this.thread = new Thread(this::supervise, "weir-" + name + "-supervisor");
    thread.setDaemon(true);
    thread.start();
  }

  /** The child's pid, or 0 while it does not run. */
  public long pid() {
    Process current = process;
    return current != null && current.isAlive() ? current.pid() : 0;
  }

  private void supervise() {
    Duration delay = FIRST_DELAY;
    boolean again = false;
    while (closing.getCount() > 0) {
      long started = System.nanoTime();
      int exitCode = runOnce(again);
      if (closing.getCount() == 0) {
        return;
      }
      if (System.nanoTime() - started > WELL.toNanos()) {
        delay = FIRST_DELAY;
      }
      LOG.warn("{} ended with exit code {}; starting it again in {} ms", name, exitCode, delay.toMillis());
      listener.died(exitCode, delay);
      again = true;
      try {
        if (closing.await(delay.toMillis(), TimeUnit.MILLISECONDS)) {
          return;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      delay = delay.multipliedBy(2).compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : delay.multipliedBy(2);
    }
  }

  private int runOnce(boolean again) {
    Process child = null;
    try {
      ProcessBuilder builder = command.prepare();
      builder.command(dyingWithParent(builder.command()));
      child = builder.start();
      process = child;
      listener.output(child.getInputStream());
      listener.started(child.pid(), again);
      return child.waitFor();
    } catch (IOException e) {
      LOG.warn("{} could not be started: {}", name, e.getMessage(), e);
      return -1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return -1;
    } finally {
      if (child != null) {
        end(child);
      }
    }
  }

  private static List<String> dyingWithParent(List<String> command) {
    if (!Files.isExecutable(SETPRIV)) {
      return command;
    }
    List<String> wrapped = new ArrayList<>(List.of(SETPRIV.toString(), "--pdeathsig", "TERM", "--"));
    wrapped.addAll(command);
    return wrapped;
  }

  private void end(Process child) {
    child.destroy();
    boolean interrupted = Thread.interrupted();
    try {
      if (!child.waitFor(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("{} (pid {}) ignored SIGTERM for {} ms; killing it", name, child.pid(), grace.toMillis());
        child.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      child.destroyForcibly();
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Stops the child, waits until it is gone, and starts it no more. */
  @Override
  public void close() {
    closing.countDown();
    thread.interrupt();
    try {
      thread.join(grace.plusSeconds(5).toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
