package io.weir.runner.internal;

import io.weir.engine.EngineException;
import io.weir.engine.LeaseRefused;
import io.weir.function.InvalidFunction;
import io.weir.function.Language;
import io.weir.function.Limits;
import io.weir.function.Source;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether handlers parse. What cannot be told in time is let through: their first use tells it.
 */
final class HandlerChecks {
  private static final Logger LOG = LoggerFactory.getLogger(HandlerChecks.class);
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final int REMEMBERED = 256;
  private static final int MAX_WORDS = 1000;

  /** Where the answer comes from. */
  interface Parser {
    Optional<String> problemOf(Source.Handler handler) throws IOException;
  }

  private final Parser parser;
  private final Duration patience;
  /** Handlers that parse, by what they are; a file is declared again with every function beside it. */
  private final Set<String> good = Collections.synchronizedSet(new LinkedHashSet<>());

  HandlerChecks(Parser parser) {
    this(parser, PATIENCE);
  }

  HandlerChecks(Parser parser, Duration patience) {
    this.parser = parser;
    this.patience = patience;
  }

  /** What a runner gets that only parses. */
  static Shape shape(Language language) {
    return new Shape(language, new Limits((language == Language.JAVA ? 256L : 128L) << 20, 1, 64), 8080);
  }

  /** @throws InvalidFunction if the handler does not parse */
  void check(Source.Handler handler) {
    String key = Digest.of(handler.toString(), handler.code());
    if (good.contains(key)) {
      return;
    }
    FutureTask<Optional<String>> answer = new FutureTask<>(() -> parser.problemOf(handler));
    Thread thread = new Thread(answer, "weir-runner-check");
    thread.setDaemon(true);
    thread.start();
    try {
      Optional<String> problem = answer.get(patience.toNanos(), TimeUnit.NANOSECONDS);
      if (problem.isPresent()) {
        String words = problem.get().replaceAll("\\s*\\n\\s*", "; ");
        throw new InvalidFunction("handler", "handler: " + handler.file() + " "
            + words.substring(0, Math.min(words.length(), MAX_WORDS)));
      }
      remember(key);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof LeaseRefused || e.getCause() instanceof EngineException
          || e.getCause() instanceof IOException) {
        LOG.debug("{} is not checked now", handler, e);
      } else {
        LOG.error("unexpected failure while checking {}: {}", handler, e.getMessage(), e);
      }
    } catch (TimeoutException e) {
      LOG.debug("{} is not checked now: no runner within {}", handler, patience, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void remember(String key) {
    synchronized (good) {
      if (good.size() >= REMEMBERED) {
        good.remove(good.iterator().next());
      }
      good.add(key);
    }
  }
}
