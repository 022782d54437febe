package io.weir.runner.internal;

import io.weir.function.Language;

class JavaRunnerTest extends RunnerContract {
  @Override
  Language language() {
    return Language.JAVA;
  }

  @Override
  String handler() {
    return """
        import java.util.LinkedHashMap;
        import java.util.Map;
        import java.util.concurrent.CyclicBarrier;
        import weir.Answer;
        import weir.Event;

        public class Thermo {
          private static final String GREETING = System.getenv("GREETING");
          private static final CyclicBarrier MET = new CyclicBarrier(2);

          public static Object handle(Event event) throws Exception {
            switch (event.path()) {
              case "/event":
                Map<String, Object> told = new LinkedHashMap<>();
                told.put("method", event.method());
                told.put("path", event.path());
                told.put("query", event.query());
                told.put("header", event.header("X-Own"));
                told.put("text", event.text());
                told.put("value", ((Map<?, ?>) event.json()).get("value"));
                told.put("id", event.id());
                told.put("type", event.type());
                told.put("source", event.source());
                told.put("subject", event.subject());
                told.put("time", event.time());
                return told;
              case "/env": return GREETING;
              case "/nothing": return null;
              case "/bytes": return new byte[] {0, (byte) 255, 10};
              case "/own": return new Answer(422, "a,b", Map.of("X-Own", "yes", "content-type", "text/csv"));
              case "/fail": throw new IllegalStateException("out of order");
              case "/split": return new Answer(200, "x", Map.of("X-Own", "a\\r\\nInjected: yes"));
              case "/meet":
                MET.await();
                return "met";
              case "/quiet": return event.text();
              default:
                System.out.println(event.text());
                return event.text();
            }
          }
        }
        """;
  }

  @Override
  String malformed() {
    return "public class Thermo {\n\n  int x = ;\n}\n";
  }

  @Override
  String unlucky() {
    return "public class Thermo {\n  static int x = Integer.parseInt(\"no luck\");\n"
        + "  public static Object handle(weir.Event event) { return null; }\n}\n";
  }

  @Override
  String empty() {
    return "public class Thermo {\n  public static Object handel(weir.Event event) { return null; }\n}\n";
  }
}
