package io.weir.journal.internal;

import static io.weir.journal.internal.Samples.THERMO;
import static io.weir.journal.internal.Samples.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.event.GatewayEvent;
import io.weir.invocation.Acceptance;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.JournalUnavailable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.util.converter.Converters;

/** The same on a disk, with the thread that writes. */
class DiskJournalTest extends JournalContract {
  @TempDir Path folder;
  private volatile long now = 1_700_000_000_000L;
  private KeptJournal kept;

  @BeforeEach
  void open() {
    kept = new KeptJournal(Samples.settings(folder.resolve("journal")), () -> now);
  }

  @AfterEach
  void close() {
    kept.close();
  }

  @Override
  InvocationJournal journal() {
    return kept.journal();
  }

  @Override
  <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
  }

  @Override
  void reopen() {
    close();
    open();
  }

  @Override
  void pass(Duration time) {
    now += time.toMillis();
  }

  @Test
  void onlyTheGatewaysUserReadsTheFiles() throws IOException {
    get(journal().accept(entry(THERMO, "a", "secret")));

    try (Stream<Path> files = Files.list(folder.resolve("journal"))) {
      assertThat(files).filteredOn(file -> file.toString().contains(".seg")).isNotEmpty()
          .allSatisfy(file -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
              .isEqualTo("rw-------"));
    }
  }

  @Test
  void tellsWhatItHas() {
    get(journal().accept(entry(THERMO, "a", "1")));

    assertThat(kept.keeper().ready()).isTrue();
    assertThat(kept.keeper().name()).isEqualTo("journal");
    assertThat(kept.keeper().state()).startsWith("1 pending, 0 to be sent, 0 dead letters; ");
    assertThat(kept.told).anyMatch(event -> event instanceof GatewayEvent.PartChanged);
  }

  @Test
  void aSecondGatewayWaitsForTheFirst() {
    get(journal().accept(entry(THERMO, "a", "1")));
    try (KeptJournal second = new KeptJournal(Samples.settings(folder.resolve("journal")), () -> now)) {
      while (!second.keeper().state().contains("another gateway")) {
        Thread.onSpinWait();
      }
      assertThat(second.offered()).isNotDone();
      assertThat(second.keeper().ready()).isFalse();

      close();

      assertThat(second.journal().pending(0, 10)).hasSize(1);
    }
  }

  @Test
  void whatComesAfterTheEndIsRefused() {
    InvocationJournal journal = journal();
    close();

    assertThatThrownBy(() -> get(journal.accept(entry(THERMO, "a", "1"))))
        .hasCauseInstanceOf(JournalUnavailable.class);
  }

  @Test
  void whatWasAskedForBeforeTheEndIsDone() {
    List<CompletionStage<Acceptance>> stages = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      stages.add(journal().accept(entry(THERMO, "k" + i, "x".repeat(5000))));
    }
    close();

    assertThat(stages).allMatch(stage -> get(stage) instanceof Acceptance.Taken);
    open();
    assertThat(journal().pending(0, 1000)).hasSize(200);
  }

  @Test
  void aReaderThatIsInterruptedHarmsNobody() {
    get(journal().accept(entry(THERMO, "a", "1")));
    Thread.currentThread().interrupt();

    assertThat(journal().pending(0, 10)).hasSize(1);

    assertThat(Thread.interrupted()).isTrue();
    get(journal().accept(entry(THERMO, "b", "1")));
    assertThat(journal().pending(0, 10)).hasSize(2);
  }

  @Test
  void manyThreadsGetTheirOwnAnswers() throws Exception {
    List<Thread> threads = new ArrayList<>();
    List<Long> numbers = new java.util.concurrent.CopyOnWriteArrayList<>();
    for (int i = 0; i < 8; i++) {
      int mine = i;
      Thread thread = new Thread(() -> {
        for (int j = 0; j < 100; j++) {
          long number = get(journal().accept(entry(THERMO, mine + "-" + j, "x"))).number();
          numbers.add(number);
          assertThat(journal().find(THERMO, mine + "-" + j)).contains(new Acceptance.Pending(number, 0));
        }
      });
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }

    assertThat(numbers).hasSize(800).doesNotHaveDuplicates();
    assertThat(journal().pending(0, 1000)).hasSize(800);
    assertThat(journal().usage().groups()).as("they share groups").isLessThan(800);
  }

  @Test
  void aFolderThatCannotBeUsedIsTriedAgain() throws IOException {
    close();
    Path file = folder.resolve("file");
    Files.writeString(file, "no folder");
    try (KeptJournal other = new KeptJournal(Samples.settings(file.resolve("journal")), () -> now)) {
      while (!other.keeper().state().contains("cannot be used")) {
        Thread.onSpinWait();
      }
      assertThat(other.offered()).isNotDone();

      Files.delete(file);

      assertThat(get(other.journal().accept(entry(THERMO, "a", "1")))).isInstanceOf(Acceptance.Taken.class);
    }
  }

  @Test
  void settingsAreChecked() {
    Settings defaults = Settings.of(config(Map.of()), folder);
    assertThat(defaults.folder()).isEqualTo(folder.resolve("journal"));
    assertThat(defaults.segments()).isEqualTo(16);
    assertThatThrownBy(() -> Settings.of(config(Map.of("window.ms", "1001")), folder))
        .hasMessage("io.weir.journal: window.ms = 1001 is not allowed; use 0..1000");
    assertThatThrownBy(() -> Settings.of(config(Map.of("max.mib", "8")), folder))
        .hasMessage("io.weir.journal: max.mib = 8 is not allowed; use at least 4 times segment.mib, which is 4");
    assertThatThrownBy(() -> Settings.of(config(Map.of("remember.mib", "15")), folder))
        .hasMessage("io.weir.journal: remember.mib = 15 is not allowed; use at most 14, a quarter of max.mib without two segments");
  }

  private static JournalConfig config(Map<String, String> values) {
    return Converters.standardConverter().convert(values).to(JournalConfig.class);
  }
}
