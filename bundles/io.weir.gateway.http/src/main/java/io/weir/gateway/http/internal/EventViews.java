package io.weir.gateway.http.internal;

import io.weir.event.GatewayEvent;
import io.weir.event.GatewayEvent.Accepted;
import io.weir.event.GatewayEvent.DeploymentChanged;
import io.weir.event.GatewayEvent.Ended;
import io.weir.event.GatewayEvent.FunctionChanged;
import io.weir.event.GatewayEvent.InstanceChanged;
import io.weir.event.GatewayEvent.PartChanged;
import io.weir.event.GatewayEvent.Published;
import io.weir.event.GatewayEvent.Retrying;
import java.time.Duration;
import java.util.Map;

/** Events as the API shows them: times as ISO texts, durations as milliseconds. */
final class EventViews {
  private EventViews() {}

  static String type(GatewayEvent event) {
    if (event instanceof Accepted) {
      return "accepted";
    } else if (event instanceof Ended) {
      return "ended";
    } else if (event instanceof Retrying) {
      return "retrying";
    } else if (event instanceof Published) {
      return "published";
    } else if (event instanceof InstanceChanged) {
      return "instance";
    } else if (event instanceof DeploymentChanged) {
      return "deployment";
    }
    return event instanceof FunctionChanged ? "function" : "part";
  }

  static Map<String, Object> view(GatewayEvent event) {
    if (event instanceof Accepted it) {
      return Json.object("at", it.at().toString(), "invocation", it.invocation(), "function", it.function().value(),
          "trigger", it.trigger(), "subject", it.subject(), "bytes", it.bytes());
    } else if (event instanceof Ended it) {
      return Json.object("at", it.at().toString(), "invocation", it.invocation(), "function", it.function().value(),
          "trigger", it.trigger(), "subject", it.subject(), "result", it.result(), "status", it.status(),
          "detail", it.detail(), "tookMs", millis(it.took()), "coldStartMs", millis(it.coldStart()),
          "coldCause", it.coldCause(), "coldFrom", it.coldFrom(), "attempts", it.attempts());
    } else if (event instanceof Retrying it) {
      return Json.object("at", it.at().toString(), "invocation", it.invocation(), "function", it.function().value(),
          "attempt", it.attempt(), "cause", it.cause(), "delayMs", millis(it.delay()));
    } else if (event instanceof Published it) {
      return Json.object("at", it.at().toString(), "invocation", it.invocation(), "function", it.function().value(),
          "topic", it.topic(), "bytes", it.bytes());
    } else if (event instanceof InstanceChanged it) {
      return Json.object("at", it.at().toString(), "function", it.function().value(), "instance", it.instance(),
          "change", it.change(), "cause", it.cause(), "tookMs", millis(it.took()), "detail", it.detail());
    } else if (event instanceof FunctionChanged it) {
      return Json.object("at", it.at().toString(), "function", it.function().value(), "change", it.change());
    } else if (event instanceof DeploymentChanged it) {
      return Json.object("at", it.at().toString(), "deployment", it.deployment(), "package", it.name(),
          "version", it.version(), "state", it.state(), "step", it.step(), "percent", it.percent());
    }
    PartChanged it = (PartChanged) event;
    return Json.object("at", it.at().toString(), "part", it.part(), "state", it.state());
  }

  /** An ended invocation in the list of invocations, where it is the subject itself. */
  static Map<String, Object> invocation(Ended it) {
    return Json.object("id", it.invocation(), "function", it.function().value(), "trigger", it.trigger(),
        "subject", it.subject(), "result", it.result(), "status", it.status(), "detail", it.detail(),
        "at", it.at().toString(), "tookMs", millis(it.took()), "coldStartMs", millis(it.coldStart()),
        "coldCause", it.coldCause(), "coldFrom", it.coldFrom(), "attempts", it.attempts());
  }

  static double millis(Duration duration) {
    return duration.toNanos() / 1_000 / 1_000.0;
  }
}
