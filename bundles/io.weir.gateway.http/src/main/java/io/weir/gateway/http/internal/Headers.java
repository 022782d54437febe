package io.weir.gateway.http.internal;

import io.weir.invocation.Header;
import io.weir.invocation.StateAttempts;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which header fields pass the gateway, and which it adds. */
final class Headers {
  /** RFC 9110 §7.6.1: between two neighbours only. */
  private static final Set<String> HOP_BY_HOP = names("connection", "keep-alive", "proxy-authenticate",
      "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade");
  /** What the gateway writes itself; taking them from outside would let a client lie to the function. */
  private static final Set<String> REQUEST_OWN = names("host", "content-length", "expect", "x-forwarded-for",
      "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix", FrontDoor.INVOCATION, StateAttempts.HEADER);
  private static final Set<String> RESPONSE_OWN = names("content-length", FrontDoor.INVOCATION);
  private static final Set<String> RESPONSE_SINGLE = names("date", "server", "content-type");

  private Headers() {}

  private static Set<String> names(String... names) {
    Set<String> set = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    set.addAll(List.of(names));
    return set;
  }

  /** The fields of a request for the function; {@code prefix} is what was cut off its path. */
  static List<Header> forwarded(HttpServletRequest request, String prefix, String invocation) {
    List<Header> headers = new ArrayList<>(16);
    Set<String> named = named(request.getHeader("Connection"));
    for (Enumeration<String> names = request.getHeaderNames(); names.hasMoreElements();) {
      String name = names.nextElement();
      if (!HOP_BY_HOP.contains(name) && !REQUEST_OWN.contains(name) && !named.contains(name)) {
        for (Enumeration<String> values = request.getHeaders(name); values.hasMoreElements();) {
          headers.add(new Header(name, values.nextElement()));
        }
      }
    }
    String before = joined(request.getHeaders("X-Forwarded-For"));
    String client = request.getRemoteAddr();
    headers.add(new Header("X-Forwarded-For", before.isEmpty() ? client : before + ", " + client));
    String host = request.getHeader("Host");
    if (host != null) {
      headers.add(new Header("X-Forwarded-Host", host));
    }
    headers.add(new Header("X-Forwarded-Proto", request.getScheme()));
    headers.add(new Header("X-Forwarded-Prefix", prefix));
    headers.add(new Header(FrontDoor.INVOCATION, invocation));
    return headers;
  }

  static boolean passesBack(String name) {
    return !HOP_BY_HOP.contains(name) && !RESPONSE_OWN.contains(name);
  }

  /** Whether a response has the field once, so that the function's replaces the server's. */
  static boolean single(String name) {
    return RESPONSE_SINGLE.contains(name);
  }

  /** Whether somebody else than the client may set the field: whether neither the gateway nor HTTP needs it. */
  static boolean settable(String name) {
    return !HOP_BY_HOP.contains(name) && !REQUEST_OWN.contains(name);
  }

  private static Set<String> named(@Nullable String connection) {
    if (connection == null || connection.equalsIgnoreCase("keep-alive") || connection.equalsIgnoreCase("close")) {
      return Set.of();
    }
    Set<String> named = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    for (String name : connection.split(",")) {
      named.add(name.strip());
    }
    return named;
  }

  private static String joined(Enumeration<String> values) {
    StringBuilder joined = new StringBuilder();
    while (values.hasMoreElements()) {
      joined.append(joined.isEmpty() ? "" : ", ").append(values.nextElement());
    }
    return joined.toString();
  }
}
