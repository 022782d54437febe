package io.weir.gateway.http.internal;

import io.weir.deployment.Deployment;
import io.weir.deployment.Deployments;
import io.weir.deployment.InstalledPackage;
import io.weir.deployment.Refused;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** Function packages: uploads go straight to whoever checks them, and a resource tells what became of each. */
final class PackagesApi {
  private final Services services;

  PackagesApi(Services services) {
    this.services = services;
  }

  java.util.List<Route> routes() {
    return java.util.List.of(
        new Route("GET", "/packages", call -> call.json(200, Json.object("packages",
            deployments().packages().stream().map(PackagesApi::view).toList()))),
        new Route("POST", "/packages", this::install),
        new Route("DELETE", "/packages/{name}", this::remove),
        new Route("GET", "/deployments", call -> call.json(200, Json.object("deployments",
            deployments().recent().stream().map(PackagesApi::view).toList()))),
        new Route("GET", "/deployments/{id}", this::deployment));
  }

  private Deployments deployments() {
    return services.deployments().orElseThrow(() -> new Problem(503, "engine-unavailable",
        "packages cannot be installed now; look at /api/v1/status").retryAfter(Duration.ofSeconds(5)));
  }

  private void install(Call call) throws IOException {
    try {
      Deployment begun = deployments().install(call.exchange().body(), call.query("source").orElse("upload"));
      call.exchange().header("Location", Router.BASE + "/deployments/" + begun.id());
      call.json(202, view(begun));
    } catch (Refused e) {
      throw problem(e);
    }
  }

  private void remove(Call call) {
    String name = call.path("name");
    try {
      if (!deployments().remove(name)) {
        throw new Problem(404, "unknown-package", "there is no package '" + name + "'; /api/v1/packages lists them");
      }
    } catch (Refused e) {
      throw problem(e);
    }
    call.exchange().status(204);
  }

  private void deployment(Call call) throws IOException {
    call.json(200, view(deployments().find(call.path("id")).orElseThrow(() -> new Problem(404, "unknown-deployment",
        "there is no deployment '" + call.path("id") + "', or it is long ago; /api/v1/deployments lists them"))));
  }

  private static Problem problem(Refused e) {
    int status = switch (e.code()) {
      case BAD_PACKAGE, WRONG_ARCHITECTURE, INVALID_DECLARATION -> 400;
      case UNSIGNED, UNTRUSTED -> 403;
      case BUSY -> 409;
      case PACKAGE_TOO_LARGE -> 413;
      case NO_SPACE -> 507;
    };
    Problem problem = new Problem(status, e.code().label(), String.valueOf(e.getMessage()));
    return e.code() == Refused.Code.BUSY ? problem.retryAfter(Duration.ofSeconds(5)) : problem;
  }

  private static Map<String, Object> view(InstalledPackage it) {
    return Json.object("name", it.name(), "version", it.version(), "signer", it.signer(),
        "functions", it.functions().stream().map(name -> name.value()).toList(),
        "installed", it.installed().map(Instant::toString).orElse(null));
  }

  private static Map<String, Object> view(Deployment it) {
    return Json.object("id", it.id(), "package", it.name(), "version", it.version(), "source", it.source(),
        "signer", it.signer(), "state", it.state().label(), "final", it.state().isFinal(), "step", it.step(),
        "percent", it.percent(), "replaces", it.replaces().orElse(null), "detail", it.detail(),
        "since", it.since().toString(), "changed", it.changed().toString());
  }
}
