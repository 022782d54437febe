package io.weir.invocation;

import io.weir.function.FunctionName;
import java.util.List;

/**
 * Hears what functions answer to events, beside whoever the answers are for; a service of everybody who wants to. Not
 * what the kernel brings to a function by itself; and twice, where a crash has the event handled again. Thread-safe; must not block.
 */
public interface AnswerListener {

  /**
   * A function answered an event, with a status that means success and a body that is not empty.
   *
   * @param function who answered
   * @param trigger what brought the event, for example {@code mqtt}
   * @param subject the event's subject, for example its topic
   * @param headers header fields of the answer
   * @param body not copied, must not change
   */
  void answered(FunctionName function, String trigger, String subject, List<Header> headers, byte[] body);
}
