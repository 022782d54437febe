package org.eclipse.kura.message;

import org.osgi.annotation.versioning.ProviderType;

/**
 * The answer to a request.
 *
 * <p>Source: the public signatures of {@code KuraResponsePayload} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class KuraResponsePayload extends KuraPayload {
  public static final int RESPONSE_CODE_OK = 200;
  public static final int RESPONSE_CODE_BAD_REQUEST = 400;
  public static final int RESPONSE_CODE_NOTFOUND = 404;
  public static final int RESPONSE_CODE_ERROR = 500;
  public static final String METRIC_RESPONSE_CODE = "response.code";
  public static final String METRIC_EXCEPTION_MSG = "response.exception.message";
  public static final String METRIC_EXCEPTION_STACK = "response.exception.stack";

  public KuraResponsePayload(int responseCode) {
    addMetric(METRIC_RESPONSE_CODE, responseCode);
  }

  public KuraResponsePayload(Throwable t) {
    this(RESPONSE_CODE_ERROR, t);
  }

  public KuraResponsePayload(int responseCode, Throwable t) {
    this(responseCode);
    setException(t);
  }

  public KuraResponsePayload(KuraPayload kuraPayload) {
    kuraPayload.metrics().forEach(this::addMetric);
    setBody(kuraPayload.getBody());
  }

  public int getResponseCode() {
    return (Integer) getMetric(METRIC_RESPONSE_CODE);
  }

  public void setResponseCode(int responseCode) {
    addMetric(METRIC_RESPONSE_CODE, responseCode);
  }

  public String getExceptionMessage() {
    return (String) getMetric(METRIC_EXCEPTION_MSG);
  }

  public void setExceptionMessage(String message) {
    addMetric(METRIC_EXCEPTION_MSG, message);
  }

  public String getExceptionStack() {
    return (String) getMetric(METRIC_EXCEPTION_STACK);
  }

  public void setExceptionStack(String stack) {
    addMetric(METRIC_EXCEPTION_STACK, stack);
  }

  public void setException(Throwable t) {
    setExceptionMessage(t.getMessage());
  }
}
