package io.weir.invocation;

import io.weir.function.FunctionName;
import java.time.Instant;
import java.util.List;

/**
 * One event on its way to a function, whatever brought it.
 *
 * @param id unique; the {@code ce-id} the function sees, the same on every attempt
 * @param function who shall handle it
 * @param trigger what brought it: {@code mqtt} or {@code http}
 * @param subject the topic or the request path, for people
 * @param method HTTP method of the call to the function
 * @param target path and query of the call to the function, beginning with a slash
 * @param headers header fields of the call, hop-by-hop fields excluded
 * @param body body of the call
 * @param arrived when the gateway took it
 * @param guarantee how hard to try
 * @param streamed whether the caller reads the answer while it arrives; if not, the invoker holds the whole answer
 *     before it calls the outcome a reply, so that an answer cut short counts as a failure
 */
public record Invocation(String id, FunctionName function, String trigger, String subject, String method,
    String target, List<Header> headers, Payload body, Instant arrived, Guarantee guarantee, boolean streamed) {
  public Invocation {
    headers = List.copyOf(headers);
  }
}
