package io.weir.engine;

/** A call to the container engine that failed; the message carries the engine's own words. */
public class EngineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What kind of failure it is. */
  public enum Code {
    /** The service does not answer: not started, restarting or gone. Worth repeating. */
    UNAVAILABLE,
    /** The service did not answer in time; the call may still take effect. */
    TIMEOUT,
    /** The image is not on this gateway. */
    NO_SUCH_IMAGE,
    /** The container does not exist (any more). */
    NO_SUCH_CONTAINER,
    /** The container's state does not allow the call, or the name is taken. */
    CONFLICT,
    /** The runtime could not start the container: bad entrypoint, memory limit too low… */
    START_FAILED,
    /** Disk or tmpfs is full. */
    NO_SPACE,
    /** The engine refused the request as malformed. */
    BAD_REQUEST,
    /** Anything else. */
    FAILED
  }

  private final Code code;

  public EngineException(Code code, String message, Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  public EngineException(Code code, String message) {
    super(message);
    this.code = code;
  }

  public Code code() {
    return code;
  }
}
