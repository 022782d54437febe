package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import tools.jackson.jr.ob.JSON;

/** The functions of a gateway under measurement. Thread-safe. */
final class Functions {
  static final String PYTHON = "localhost/weir/thermo-alert:1";
  private static final String LIMITS = "    memory: 64MiB\n    cpus: 2\n    pids: 64\n";

  private final Gateway gateway;
  private final InetSocketAddress frontDoor;

  Functions(Gateway gateway) {
    this.gateway = gateway;
    this.frontDoor = new InetSocketAddress("127.0.0.1", gateway.httpPort);
  }

  /** From what is cached here, without a network, if anybody has made an image for Python here before. */
  void makeImages() throws Exception {
    gateway.importProbe();
    String example = gateway.home().resolve("examples/thermo-alert").toString();
    Gateway.Result built = gateway.weir("image", "build", "python", example, "--tag", PYTHON);
    if (built.exitCode() != 0) {
      throw new IOException("no Python image: " + built.err());
    }
  }

  static String image(String kind) {
    return kind.equals("python") ? PYTHON : Baseline.PROBE;
  }

  /** A function's part of a weir.yaml. */
  static String yaml(String name, String image, String more) {
    return "  " + name + ":\n    image: " + image + "\n" + LIMITS + "    " + more + "\n";
  }

  void deploy(String functions) {
    gateway.deploy("functions:\n" + functions);
  }

  /** A function with this handler, and a spare runner that waits for it. */
  void deployHandler(String name, String code) throws IOException {
    String yaml = "functions:\n  " + name + ":\n    runtime: python\n    handler: handler.py\n" + LIMITS;
    HttpResponse<String> answer = gateway.post("/api/v1/functions",
        JSON.std.asString(Map.of("yaml", yaml, "files", Map.of("handler.py", code))), "Content-Type", "application/json");
    require(answer, 200);
  }

  void awaitSpare() {
    Awaitility.await("a spare Python runner").atMost(Gateway.LONG).until(() ->
        gateway.list("/api/v1/status", "runners").stream().anyMatch(runner -> "python".equals(runner.get("language"))));
  }

  void remove(String name) {
    require(gateway.delete("/api/v1/functions/" + name), 204);
  }

  /** Returns when the function rests there. */
  void rest(String name, String rung) {
    require(gateway.send(gateway.request("/api/v1/functions/" + name + "/rung").header("Content-Type", "application/json")
        .PUT(HttpRequest.BodyPublishers.ofString("{\"rung\":\"" + rung + "\"}"))), 204);
  }

  /** Milliseconds to the first byte of the answer. */
  double call(String name) throws IOException {
    try (Wire wire = new Wire(frontDoor)) {
      return wire.get("/function/" + name + "/");
    }
  }

  long counter(String name) {
    return gateway.counter(name);
  }

  List<Map<String, Object>> instances() {
    return gateway.list("/api/v1/instances", "instances");
  }

  /** Null until the function has one. */
  static Map<?, ?> service(Gateway gateway, String name) {
    return (Map<?, ?>) gateway.json("/api/v1/functions/" + name).get("service");
  }

  /** Returns the service port once connections are led this way: the programs take the kernel a moment to check. */
  static int awaitWay(Gateway gateway, String name, String way) {
    Awaitility.await("connections to " + name + " go by " + way).atMost(Gateway.LONG)
        .until(() -> service(gateway, name), service -> service != null && way.equals(service.get("way")));
    return ((Number) service(gateway, name).get("port")).intValue();
  }

  private static void require(HttpResponse<String> answer, int status) {
    if (answer.statusCode() != status) {
      throw new IllegalStateException(answer.request().method() + " " + answer.uri().getPath() + " was answered "
          + answer.statusCode() + ": " + answer.body());
    }
  }
}
