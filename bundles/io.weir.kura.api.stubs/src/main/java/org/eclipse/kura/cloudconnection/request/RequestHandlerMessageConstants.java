package org.eclipse.kura.cloudconnection.request;

/**
 * Properties of a request.
 *
 * <p>Source: the public signatures of {@code RequestHandlerMessageConstants} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
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
