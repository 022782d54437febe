package io.weir.kura.internal;

import io.weir.admin.AdminApi;
import io.weir.admin.AdminApi.Reply;
import io.weir.admin.AdminApi.Request;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.eclipse.kura.cloudconnection.message.KuraMessage;
import org.eclipse.kura.cloudconnection.request.RequestHandler;
import org.eclipse.kura.cloudconnection.request.RequestHandlerContext;
import org.eclipse.kura.cloudconnection.request.RequestHandlerMessageConstants;
import org.eclipse.kura.message.KuraPayload;
import org.eclipse.kura.message.KuraResponsePayload;
import org.jspecify.annotations.Nullable;

/**
 * The admin API over Kura's requests: {@code GET/functions/thermo} is {@code GET /api/v1/functions/thermo}. Metrics of the
 * request are the query's parameters, its body is the body; the answer's body is the JSON that HTTP would bring, its
 * response code the HTTP status.
 */
final class AdminRequests implements RequestHandler {
  static final String CONTENT_TYPE = "content.type";
  /** Kura's own metrics, and ours. */
  private static final Set<String> NO_PARAMETERS = Set.of("request.id", "requester.client.id", CONTENT_TYPE);
  private static final byte[] NOTHING = new byte[0];

  private final Supplier<@Nullable AdminApi> api;
  private final BooleanSupplier allowed;
  private final BooleanSupplier changes;

  AdminRequests(Supplier<@Nullable AdminApi> api, BooleanSupplier allowed, BooleanSupplier changes) {
    this.api = api;
    this.allowed = allowed;
    this.changes = changes;
  }

  @Override
  public KuraMessage doGet(RequestHandlerContext context, KuraMessage request) {
    return answer("GET", request);
  }

  @Override
  public KuraMessage doPut(RequestHandlerContext context, KuraMessage request) {
    return answer("PUT", request);
  }

  @Override
  public KuraMessage doPost(RequestHandlerContext context, KuraMessage request) {
    return answer("POST", request);
  }

  @Override
  public KuraMessage doDel(RequestHandlerContext context, KuraMessage request) {
    return answer("DELETE", request);
  }

  /** Some cloud consoles can only EXEC what is not to be read. */
  @Override
  public KuraMessage doExec(RequestHandlerContext context, KuraMessage request) {
    return answer("POST", request);
  }

  private KuraMessage answer(String method, KuraMessage message) {
    AdminApi now = api.get();
    if (now == null) {
      return failure(503, "Weir's admin API is not there now; look at Kura's log for io.weir.gateway.http");
    } else if (!allowed.getAsBoolean()) {
      return failure(403, "remote administration is off; 'Weir in Kura' in the web admin turns it on");
    } else if (!method.equals("GET") && !changes.getAsBoolean()) {
      return failure(403, "remote changes are off; 'Weir in Kura' in the web admin turns them on");
    }
    return message(now.call(request(method, message)));
  }

  private static Request request(String method, KuraMessage message) {
    KuraPayload payload = message.getPayload();
    byte[] body = payload == null || payload.getBody() == null ? NOTHING : payload.getBody();
    Object type = payload == null ? null : payload.getMetric(CONTENT_TYPE);
    return new Request(method, path(message), payload == null ? "" : query(payload.metrics()),
        type != null ? type.toString() : body.length > 0 && body[0] == '{' ? "application/json" : "", body);
  }

  private static String path(KuraMessage message) {
    Object args = message.getProperties().get(RequestHandlerMessageConstants.ARGS_KEY.value());
    return args instanceof List<?> parts ? parts.stream().map(part -> "/" + part).collect(Collectors.joining()) : "/";
  }

  private static String query(Map<String, Object> metrics) {
    return new TreeMap<>(metrics).entrySet().stream().filter(metric -> !NO_PARAMETERS.contains(metric.getKey()))
        .filter(metric -> metric.getValue() != null && !(metric.getValue() instanceof byte[]))
        .map(metric -> encode(metric.getKey()) + "=" + encode(metric.getValue().toString()))
        .collect(Collectors.joining("&"));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static KuraMessage message(Reply reply) {
    KuraResponsePayload payload = new KuraResponsePayload(reply.status());
    payload.addMetric(CONTENT_TYPE, reply.contentType());
    payload.setBody(reply.body());
    return new KuraMessage(payload);
  }

  private static KuraMessage failure(int status, String message) {
    KuraResponsePayload payload = new KuraResponsePayload(status);
    payload.setExceptionMessage(message);
    return new KuraMessage(payload);
  }
}
