package io.weir.gateway.mqtt.internal;

import io.weir.invocation.AnswerListener;
import io.weir.invocation.Invocation;
import io.weir.invocation.Outcome;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who else hears of answers. Thread-safe. */
final class Listeners {
  private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

  private final List<AnswerListener> all = new CopyOnWriteArrayList<>();

  void add(AnswerListener listener) {
    all.add(listener);
  }

  void remove(AnswerListener listener) {
    all.remove(listener);
  }

  /** One that fails must not cost the answer. */
  void tell(Invocation event, Outcome.Replied reply, byte[] body) {
    for (AnswerListener listener : all) {
      try {
        listener.answered(event.function(), event.trigger(), event.subject(), reply.headers(), body);
      } catch (RuntimeException e) {
        LOG.warn("{} did not take an answer of {}", listener, event.function(), e);
      }
    }
  }
}
