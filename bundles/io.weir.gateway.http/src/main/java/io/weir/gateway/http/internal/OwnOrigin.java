package io.weir.gateway.http.internal;

import java.util.Set;

/** Keeps foreign web pages out: a browser says where the page came from that makes a request. */
final class OwnOrigin {
  private static final Set<String> READING = Set.of("GET", "HEAD", "OPTIONS");

  private OwnOrigin() {}

  /** @throws Problem if a page that is not the gateway's own would change something */
  static void require(Exchange exchange) {
    if (READING.contains(exchange.method())) {
      return;
    }
    String origin = exchange.header("Origin");
    String site = exchange.header("Sec-Fetch-Site");
    boolean foreign = origin == null ? site != null && !site.equals("same-origin") && !site.equals("none")
        : !origin.substring(origin.indexOf("://") < 0 ? 0 : origin.indexOf("://") + 3)
            .equalsIgnoreCase(String.valueOf(exchange.header("Host")));
    if (foreign) {
      throw new Problem(403, "cross-site", "a page of " + (origin == null ? "another site" : origin)
          + " may not change this gateway");
    }
  }
}
