package io.weir.child;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SupervisedProcessTest {
  private final BlockingQueue<Long> pids = new LinkedBlockingQueue<>();
  private final BlockingQueue<Integer> deaths = new LinkedBlockingQueue<>();
  private final SupervisedProcess.Listener listener = new SupervisedProcess.Listener() {
    @Override
    public void started(long pid, boolean again) {
      pids.add(pid);
    }

    @Override
    public void died(int exitCode, Duration delay) {
      deaths.add(exitCode);
    }
  };

  @Test
  void startsAgainWhatWasKilled() throws Exception {
    try (var child = supervise("sleep", "600")) {
      long first = pids.poll(10, TimeUnit.SECONDS);
      ProcessHandle.of(first).orElseThrow().destroyForcibly();

      long second = pids.poll(10, TimeUnit.SECONDS);

      assertThat(second).isNotEqualTo(first);
      assertThat(deaths.poll()).isEqualTo(128 + 9);
      assertThat(child.pid()).isEqualTo(second);
    }
  }

  @Test
  void leavesNothingBehindWhenClosed() throws Exception {
    var child = supervise("sleep", "600");
    long pid = pids.poll(10, TimeUnit.SECONDS);

    child.close();

    assertThat(ProcessHandle.of(pid)).isEmpty();
    assertThat(child.pid()).isZero();
  }

  @Test
  void killsWhatIgnoresTheRequestToEnd() throws Exception {
    var child = new SupervisedProcess("stubborn", () -> new ProcessBuilder("sh", "-c",
        "trap '' TERM; echo ready; while :; do sleep 1; done"), listener, Duration.ofMillis(100));
    long pid = pids.poll(10, TimeUnit.SECONDS);

    child.close();

    assertThat(ProcessHandle.of(pid)).isEmpty();
  }

  @Test
  void theChildDiesWithItsKilledParent() throws Exception {
    Process parent = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-cp", System.getProperty("java.class.path"), ParentMain.class.getName()).start();
    long child = Long.parseLong(parent.inputReader().readLine());

    parent.destroyForcibly().waitFor();

    ProcessHandle.of(child).ifPresent(left -> left.onExit().orTimeout(10, TimeUnit.SECONDS).join());
    assertThat(ProcessHandle.of(child)).isEmpty();
  }

  private SupervisedProcess supervise(String... command) {
    return new SupervisedProcess("test", () -> new ProcessBuilder(command), listener, Duration.ofSeconds(2));
  }

  /** Prints the pid of a child that would live for minutes, then waits to be killed. */
  static final class ParentMain {
    private ParentMain() {}

    public static void main(String[] args) throws Exception {
      var pid = new LinkedBlockingQueue<Long>();
      try (var child = new SupervisedProcess("orphan", () -> new ProcessBuilder("sleep", "600"),
          new SupervisedProcess.Listener() {
            @Override
            public void started(long started, boolean again) {
              pid.add(started);
            }

            @Override
            public void died(int exitCode, Duration delay) {}
          }, Duration.ofSeconds(1))) {
        System.out.println(pid.take());
        System.out.flush();
        Thread.sleep(Long.MAX_VALUE);
      }
    }
  }
}
