package io.weir.gateway.http.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = HttpConfig.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = HttpConfig.NAME,
    description = "The front door to functions and the admin API.")
public @interface HttpConfig {
  String PID = "io.weir.gateway.http";
  String NAME = "Weir HTTP gateway";
  long DEFAULT_MAX_BODY = 1 << 20;
  int DEFAULT_MAX_KEPT = 256 << 10;
  int LARGEST_KEPT = 16 << 20;

  @AttributeDefinition(name = "Largest body", description = "Largest body of a request to a function, in bytes. Larger "
      + "ones are answered with 413. Image uploads are not limited.", min = "0", max = "1099511627776",
      required = false)
  long max_body_bytes() default DEFAULT_MAX_BODY;

  @AttributeDefinition(name = "Largest body that is kept", description = "Largest body of a request with Idempotency-Key or "
      + "Prefer: respond-async, and largest answer to it, in bytes. Both are kept in the journal.", min = "0",
      max = "16777216", required = false)
  int max_kept_bytes() default DEFAULT_MAX_KEPT;

  @AttributeDefinition(name = "Gateway name", description = "What the gateway calls itself in its status. Empty: the "
      + "machine's host name.", required = false)
  String gateway_name() default "";

  @AttributeDefinition(name = "Local port", description = "Where Weir runs in Eclipse Kura: the port of 127.0.0.1 at which "
      + "the admin API is served, without a password, to whoever is logged in on this machine; the program weir uses 8480. "
      + "0: none. Anywhere else it means nothing.", min = "0", max = "65535", required = false)
  int local_port() default 0;
}
