import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Run by ../test.sh without a test framework: {@code java -cp classes ConvertTest}. */
final class ConvertTest {
  private ConvertTest() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Main convert = new Main("F", "C");
    check("freezing point", convert.answer(null, "32").body(), "{\"value\":0.0,\"unit\":\"C\"}");
    check("JSON reading", convert.answer(null, "{\"value\": 71.6, \"t\": 1}").body(), "{\"value\":22.0,\"unit\":\"C\"}");
    check("query wins", convert.answer("from=psi&to=kPa", "1").body(), "{\"value\":6.894757293,\"unit\":\"kPa\"}");
    check("escaped unit", convert.answer("from=km%2Fh&to=m%2Fs", "36").body(), "{\"value\":10.0,\"unit\":\"m/s\"}");
    for (String body : new String[] {"", "warm", "{}", "{\"value\":\"1\"}", "1 2", "1e999"}) {
      check("no reading: " + body, convert.answer(null, body).status(), 400);
    }
    check("different kinds", convert.answer("from=F&to=bar", "1").status(), 400);
    check("unknown unit", convert.answer("from=Q", "1").status(), 400);

    var server = convert.serve(0);
    try {
      var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/?to=K"))
          .POST(HttpRequest.BodyPublishers.ofString("32")).build();
      var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
      check("over HTTP", response.body(), "{\"value\":273.15,\"unit\":\"K\"}");
    } finally {
      server.stop(0);
    }
    System.out.println("convert: all tests passed");
    System.exit(0);
  }

  private static void check(String what, Object actual, Object expected) {
    if (!expected.equals(actual)) {
      throw new AssertionError(what + ": expected " + expected + ", got " + actual);
    }
  }
}
