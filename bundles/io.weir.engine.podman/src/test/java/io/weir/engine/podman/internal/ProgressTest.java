package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final List<String> said = new ArrayList<>();
  private final Progress progress = new Progress("pulling image a", said::add);

  @Test
  void passesLinesOnWithoutTheirEnds() {
    progress.accept("{\"stream\":\"STEP 1/2: FROM a\\n\"}");
    progress.accept("{\"stream\":\"one\\ntwo\\n\"}");
    progress.accept("{\"images\":[\"1a\"],\"id\":\"1a\"}");

    assertThat(progress.done()).isTrue();
    assertThat(said).containsExactly("STEP 1/2: FROM a", "one", "two");
  }

  @Test
  void failsWithTheErrorThatCameWithStatus200() {
    progress.accept("{\"stream\":\"Trying to pull\"}");
    progress.accept("{\"error\":\"connection refused\\n\"}");

    assertThatExceptionOfType(EngineException.class).isThrownBy(progress::done)
        .withMessage("pulling image a failed: connection refused")
        .satisfies(e -> assertThat(e.code()).isEqualTo(Code.FAILED));
  }
}
