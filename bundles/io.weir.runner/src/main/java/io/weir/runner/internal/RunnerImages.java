package io.weir.runner.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineException;
import io.weir.engine.LeaseRefused;
import io.weir.function.Language;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The images of runners, built where they are missing. Thread-safe; one language is built once at a time. */
final class RunnerImages {
  private static final Logger LOG = LoggerFactory.getLogger(RunnerImages.class);

  private static final int LAST_WORDS = 12;

  private final ContainerEngine engine;
  private final Map<Language, Program> programs = new EnumMap<>(Language.class);
  private final Map<Language, String> present = new ConcurrentHashMap<>();

  RunnerImages(ContainerEngine engine) {
    this.engine = engine;
    Program.all().forEach(program -> programs.put(program.language(), program));
  }

  /**
   * The image of a language's runner; blocks while it is being built.
   *
   * @throws LeaseRefused {@code NO_SUCH_IMAGE} if the language's runtime is not here
   */
  String ensure(Language language) {
    String known = present.get(language);
    if (known != null) {
      return known;
    }
    Program program = program(language);
    synchronized (program) {
      return build(program);
    }
  }

  private String build(Program program) {
    String language = program.language().label();
    String reference = reference(program).orElseThrow(() -> new LeaseRefused(LeaseRefused.Code.NO_SUCH_IMAGE,
        "the " + language + " runtime is not on this gateway; make it with: weir image runtime " + language,
        Duration.ofSeconds(30), null));
    if (engine.imageId(reference).isEmpty()) {
      LOG.debug("building {}", reference);
      Deque<String> said = new ArrayDeque<>();
      try {
        engine.build(reference, new ByteArrayInputStream(program.context()), line -> {
          said.add(line.strip());
          if (said.size() > LAST_WORDS) {
            said.remove();
          }
        });
      } catch (EngineException e) {
        throw new EngineException(e.code(), e.getMessage() + "; the build's last words: " + String.join(" | ", said), e);
      }
    }
    present.put(program.language(), reference);
    return reference;
  }

  /** Looks again whether images are there and of today's runtimes; builds those of runtimes that have changed. */
  void refresh() {
    for (Language language : present.keySet()) {
      present.remove(language);
      ensure(language);
    }
  }

  /** To be called when an image turned out to be gone. */
  void forget(Language language) {
    present.remove(language);
  }

  /** Whether a container of this image is what would be started now, as far as is known. */
  boolean isCurrent(Language language, String image) {
    return image.equals(present.getOrDefault(language, image));
  }

  private Program program(Language language) {
    Program program = programs.get(language);
    if (program == null) {
      throw new EngineException(EngineException.Code.FAILED, "there is no runner for " + language.label());
    }
    return program;
  }

  private Optional<String> reference(Program program) {
    return engine.imageId(program.base()).map(program::reference);
  }
}
