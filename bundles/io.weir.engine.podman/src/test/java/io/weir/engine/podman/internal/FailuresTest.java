package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FailuresTest {

  /** Words of Podman 4.3.1 and 5.4.2, as they came. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      500 | false | localhost/none:1: image not known | NO_SUCH_IMAGE | load or pull the image
      404 | false | no container with name or ID "x" found: no such container | NO_SUCH_CONTAINER |
      404 | true  | no container with name or ID "x" found: no such container | NO_SUCH_CONTAINER |
      500 | false | "1a2b" is not paused, can't unpause: container state improper | CONFLICT |
      500 | false | the container name "a" is already in use by 1a2b: that name is already in use | CONFLICT |
      409 | false | anything | CONFLICT |
      500 | false | running container create option: names must match [a-zA-Z0-9]: invalid argument | BAD_REQUEST |
      500 | false | invalid reference format | BAD_REQUEST |
      400 | false | anything | BAD_REQUEST |
      500 | false | write /x: no space left on device | NO_SPACE | Free space
      500 | true  | crun: OOM: the memory limit could be too low | START_FAILED | more memory
      500 | true  | runc: unable to set memory limit to 600000 | START_FAILED | more memory
      500 | true  | exec: "/x": permission denied: OCI permission denied | START_FAILED | chmod 755
      500 | true  | exec: "/x": stat /x: no such file or directory | START_FAILED | entrypoint exists
      500 | true  | error setting rlimit type 6: operation not permitted: permission denied | START_FAILED | default_ulimits
      500 | true  | something new | START_FAILED |
      500 | false | something new | FAILED |
      """)
  void tellsTheKindOfFailureFromPodmansWords(int status, boolean starting, String words, Code code, String advice) {
    String document = Json.write(java.util.Map.of("cause", "c", "message", words, "response", status));

    EngineException failure = Failures.of("doing it", starting, status, document);

    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure.getMessage()).startsWith("doing it failed: " + words);
    if (advice != null) {
      assertThat(failure.getMessage()).contains(advice);
    }
  }

  @Test
  void quotesOnlyWhatCanBePrinted() {
    assertThat(Failures.of("doing it", false, 500, "found \u0000\u0000, bigger context"))
        .hasMessage("doing it failed: found  , bigger context");
  }

  @ParameterizedTest
  @CsvSource({"Not Found,Not Found", "'',Podman answered 502", "'{\"cause\":\"because\"}',because", "[1],[1]"})
  void takesAnAnswerWithoutAnErrorDocumentAsItIs(String body, String said) {
    assertThat(Failures.of("doing it", false, 502, body)).hasMessage("doing it failed: " + said);
  }
}
