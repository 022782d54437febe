package io.weir.journal.internal;

import static io.weir.journal.internal.Samples.THERMO;
import static io.weir.journal.internal.Samples.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.weir.invocation.Acceptance;
import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KillTest {
  private static final int ROUNDS = 12;

  @TempDir Path folder;
  private final Set<Integer> accepted = new TreeSet<>();
  private final Set<Integer> done = new TreeSet<>();
  private final Set<Integer> settled = new HashSet<>();
  private final Set<Integer> sending = new HashSet<>();

  @Test
  void whatWasReportedIsThereAndNothingCountsTwice() throws Exception {
    Random random = new Random(4);
    for (int round = 0; round < ROUNDS; round++) {
      run(random.nextInt(400));
      look();
    }
    assertThat(done.size()).as("there was something to lose").isGreaterThan(10 * ROUNDS);
  }

  /** Runs the process until it said so many lines, then kills it. */
  private void run(int lines) throws Exception {
    int next = accepted.isEmpty() ? 1 : ((TreeSet<Integer>) accepted).last() + 100;
    Process child = new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), CounterMain.class.getName(),
        folder.toString(), String.valueOf(next))).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (BufferedReader said = child.inputReader()) {
      int heard = 0;
      for (String line = said.readLine(); line != null; line = said.readLine()) {
        note(line);
        if (heard++ == lines) {
          child.toHandle().destroyForcibly();  // what it said until it was dead is still read
        }
      }
    } finally {
      child.destroyForcibly();
    }
    child.waitFor();
  }

  private void note(String line) {
    if (!line.endsWith(" .")) {
      return;
    }
    String[] words = line.split(" ");
    switch (words[0]) {
      case "accepted" -> accepted.add(Integer.parseInt(words[1]));
      case "done" -> done.add(Integer.parseInt(words[1]));
      case "sending" -> sending.add(Integer.parseInt(words[1]));
      case "settled" -> settled.add(Integer.parseInt(words[1]));
      default -> assertThat(words[0]).isEqualTo("open");
    }
  }

  private void look() {
    try (KeptJournal kept = new KeptJournal(CounterMain.settings(folder), System::currentTimeMillis)) {
      InvocationJournal journal = kept.journal();
      Set<Integer> pending = new TreeSet<>();
      journal.pending(0, 10_000).forEach(event -> pending.add(Integer.parseInt(event.entry().key().orElseThrow())));
      for (int event : accepted) {
        if (!pending.contains(event)) {
          assertThat(journal.find(THERMO, String.valueOf(event))).as("event " + event).get()
              .isInstanceOf(Acceptance.Done.class);
        }
      }
      assertThat(pending).doesNotContainAnyElementsOf(done.isEmpty() ? Set.of(0) : done);
      Set<Integer> outgoing = new TreeSet<>();
      journal.outgoing("witness", 0, 10_000)
          .forEach(out -> assertThat(outgoing.add(Integer.parseInt(text(out.output().body())))).isTrue());
      assertThat(outgoing).doesNotContainAnyElementsOf(settled.isEmpty() ? Set.of(0) : settled);
      for (int event : done) {
        assertThat(outgoing.contains(event) || sending.contains(event)).as("output of " + event).isTrue();
      }
      Audit audit = journal.audit(Instant.EPOCH, Instant.ofEpochMilli(Long.MAX_VALUE));
      assertThat(audit.problems()).isEmpty();
      assertThat(audit.pending()).isEqualTo(pending.size());
      assertThat(audit.accepted()).isBetween((long) accepted.size(), accepted.size() + 5L * ROUNDS);
      assertThat(journal.state(THERMO, "count").map(Samples::text).map(Long::parseLong).orElse(0L))
          .as("each event that is done counts once").isEqualTo(audit.done());
      assertThat(kept.keeper().state()).doesNotContain("set aside");
    }
  }
}
