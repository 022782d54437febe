package io.weir.admin;

/**
 * The resources of the admin REST API with the same JSON, for ways that are not HTTP. Whoever offers them on such a way has
 * made sure that its caller may. Thread-safe; a call may take as long as the request over HTTP would.
 */
public interface AdminApi {

  /** The answer to a request, an error's problem document included; throws nothing. */
  Reply call(Request request);

  /**
   * A request.
   *
   * @param method {@code GET}, {@code PUT}, {@code POST} or {@code DELETE}
   * @param path below {@code /api/v1}, beginning with a slash, for example {@code /functions}
   * @param query without the question mark, percent-encoded; empty for none
   * @param contentType media type of the body, or empty
   * @param body not copied, must not change
   */
  record Request(String method, String path, String query, String contentType, byte[] body) {}

  /** An answer: the HTTP status, the media type of its body or empty, and the body. */
  record Reply(int status, String contentType, byte[] body) {}
}
