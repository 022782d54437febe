package io.weir.forecast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ChooserTest {
  private static final float WORTH = 1_000_000;
  private static final int KEEP = java.util.Arrays.asList(Ledger.NAMES).indexOf("keep-10m");
  private final Account[] accounts = new Account[Ledger.NAMES.length];
  private final Chooser chooser = new Chooser(-1);

  ChooserTest() {
    for (int i = 0; i < accounts.length; i++) {
      accounts[i] = new Account();
    }
  }

  /** A gap at whose end all but one were cold, or all were warm but the driver held longer. */
  private void gap(int warm, long held) {
    for (int i = 0; i < accounts.length; i++) {
      accounts[i].arrived(0, 0, 1, WORTH);
      accounts[i].settle(new KeepAlive(i == warm ? 0 : held), new KeepAlive(0), 0, held + 1, WORTH,
          new Span());
    }
    chooser.choose(accounts, 1_000, WORTH, new Surroundings());
  }

  @Test
  void aLittleLessMemoryChangesNothing() {
    gap(KEEP, 200_000);

    assertThat(chooser.general()).isEqualTo(Ledger.BREAK_EVEN);
  }

  @Test
  void oneGapIsNoProof() {
    for (int i = 0; i < accounts.length; i++) {
      accounts[i].arrived(i == KEEP ? 0 : 1, 0, 1, WORTH);
    }
    chooser.choose(accounts, 1, WORTH, new Surroundings());

    assertThat(chooser.general()).isEqualTo(Ledger.BREAK_EVEN);
  }

  @Test
  void littleAgainAndAgainIsMuch() {
    for (int i = 0; i < 5; i++) {
      gap(KEEP, 200_000);
    }

    assertThat(chooser.general()).isEqualTo(KEEP);
  }

  @Test
  void aSpecialistDrivesWhileItHasAnOpinionThatCostsNoMoreThanTheLeaders() {
    Candidate[] candidates = new Candidate[Ledger.NAMES.length];
    java.util.Arrays.fill(candidates, new KeepAlive(1_000));
    candidates[0] = new Timers();

    assertThat(chooser.driver(candidates, 0, 0, WORTH, new Span(), new Surroundings())).isEqualTo(1);
    chooser.opinion(1, -WORTH, 1);
    assertThat(chooser.driver(candidates, 0, 0, WORTH, new Span(), new Surroundings()))
        .isEqualTo(Ledger.BREAK_EVEN);
    chooser.opinion(1, WORTH, 1);
    assertThat(chooser.driver(candidates, 0, 0, WORTH, new Span(), new Surroundings())).isEqualTo(1);
  }
}
