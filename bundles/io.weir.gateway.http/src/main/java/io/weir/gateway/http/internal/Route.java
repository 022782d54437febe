package io.weir.gateway.http.internal;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** A method and path of the admin API, and what answers it. {@code {name}} in the path stands for one segment. */
record Route(String method, String template, Handler handler) {

  /** Answers one request; throws {@link Problem} where it cannot. */
  interface Handler {
    void handle(Call call) throws IOException;
  }

  /** The path's parameters, if the path is this one. */
  Optional<Map<String, String>> match(String path) {
    String[] want = template.split("/", -1);
    String[] have = path.split("/", -1);
    if (want.length != have.length) {
      return Optional.empty();
    }
    Map<String, String> parameters = new HashMap<>();
    for (int i = 0; i < want.length; i++) {
      if (want[i].startsWith("{")) {
        parameters.put(want[i].substring(1, want[i].length() - 1), have[i]);
      } else if (!want[i].equals(have[i])) {
        return Optional.empty();
      }
    }
    return Optional.of(parameters);
  }
}
