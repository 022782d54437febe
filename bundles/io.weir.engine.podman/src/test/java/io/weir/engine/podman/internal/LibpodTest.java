package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LibpodTest {
  @TempDir
  Path directory;

  private FakePodman fake(java.util.function.Function<String, String> answer) throws IOException {
    return new FakePodman(directory.resolve("podman.sock"), answer);
  }

  private static void assertFails(Code code, String said, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(EngineException.class, e -> {
      assertThat(e.code()).isEqualTo(code);
      assertThat(e.getMessage()).contains(said);
    });
  }

  @Test
  void aCallThatIsNotAnsweredEndsInTime() throws Exception {
    try (FakePodman fake = fake(line -> FakePodman.NO_ANSWER); Libpod libpod = new Libpod(fake.socket)) {
      assertFails(Code.TIMEOUT, "pinging failed: Podman did not answer",
          () -> libpod.get("pinging", "_ping").within(Duration.ofMillis(50)).run());
    }
  }

  @Test
  void anAnswerThatStopsHalfWayEndsInTime() throws Exception {
    try (FakePodman fake = fake(line -> "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        Libpod libpod = new Libpod(fake.socket)) {
      assertFails(Code.TIMEOUT, "looking", () -> libpod.get("looking", "x").within(Duration.ofMillis(50)).run());
    }
  }

  @Test
  void aBuildThatHangsDoesNotHoldUpAStart() throws Exception {
    try (FakePodman fake = fake(line -> line.contains("/start") ? FakePodman.response(204, "") : FakePodman.NO_ANSWER);
        Libpod libpod = new Libpod(fake.socket)) {
      CompletableFuture<Void> build = CompletableFuture.runAsync(() -> libpod
          .upload("building", new ByteArrayInputStream(new byte[10]), "build").within(Duration.ofSeconds(50)).run());
      assertThat(fake.requests.poll(10, TimeUnit.SECONDS)).endsWith("/build");

      libpod.post("starting", "containers", "a", "start").within(Duration.ofSeconds(10)).run();

      assertThat(build).isNotDone();
    }
  }

  @Test
  void anAbsentServiceIsUnavailable() throws Exception {
    try (Libpod libpod = new Libpod(directory.resolve("none.sock"))) {
      assertFails(Code.UNAVAILABLE, "nothing listens on " + directory, () -> libpod.ping(Duration.ofSeconds(5)));
    }
  }

  @Test
  void aServiceThatBreaksOffIsUnavailable() throws Exception {
    try (FakePodman fake = fake(line -> "nonsense\r\n\r\n"); Libpod libpod = new Libpod(fake.socket)) {
      assertFails(Code.UNAVAILABLE, "does not answer", () -> libpod.ping(Duration.ofSeconds(5)));
    }
  }

  @Test
  void anArchiveThatCannotBeReadIsTheCallersFault() throws Exception {
    InputStream broken = new InputStream() {
      @Override
      public int read() throws IOException {
        throw new IOException("the upload was cut off");
      }
    };
    try (FakePodman fake = fake(line -> FakePodman.NO_ANSWER); Libpod libpod = new Libpod(fake.socket)) {
      assertFails(Code.BAD_REQUEST, "the upload was cut off",
          () -> libpod.upload("loading", broken, "images", "load").within(Duration.ofSeconds(5)).run());
    }
  }

  @Test
  void escapesWhatIsPutIntoThePath() throws Exception {
    try (FakePodman fake = fake(line -> FakePodman.response(404, "{}")); Libpod libpod = new Libpod(fake.socket)) {
      assertThat(libpod.get("looking", "images", "localhost/a b:1?x=../..", "exists").found()).isFalse();

      assertThat(fake.requests.take())
          .isEqualTo("GET /v4.0.0/libpod/images/localhost%2Fa%20b:1%3Fx=..%2F../exists");
    }
  }

  @Test
  void anAnswerThatIsNoJsonIsAFailure() {
    assertFails(Code.FAILED, "no JSON: <html>", () -> Json.parse("<html>"));
  }
}
