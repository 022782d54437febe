package org.eclipse.kura.cloudconnection.request;

/** Properties of a request. */
public enum RequestHandlerMessageConstants {
  /** The parts of its topic after the method, a list of texts. */
  ARGS_KEY("args");

  private final String value;

  RequestHandlerMessageConstants(String value) {
    this.value = value;
  }

  public String value() {
    return value;
  }
}
