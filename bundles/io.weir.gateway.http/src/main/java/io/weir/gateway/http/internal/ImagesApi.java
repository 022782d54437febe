package io.weir.gateway.http.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Images: uploads go straight through to the engine, whatever their size. */
final class ImagesApi {
  private final Services services;

  ImagesApi(Services services) {
    this.services = services;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/images", this::exists),
        new Route("POST", "/images/import", this::importImage),
        new Route("POST", "/images/build", this::build),
        new Route("POST", "/images/load", this::load),
        new Route("GET", "/images/archive", this::save),
        new Route("POST", "/images/pull", this::pull));
  }

  private ContainerEngine engine() {
    return services.engine().orElseThrow(() -> new Problem(503, "engine-unavailable",
        "no container engine answers now; look at /api/v1/status").retryAfter(Duration.ofSeconds(5)));
  }

  private void exists(Call call) throws IOException {
    String reference = call.required("reference");
    call.json(200, Json.object("reference", reference, "present", engine().imageId(reference).isPresent()));
  }

  private void importImage(Call call) throws IOException {
    String reference = call.required("reference");
    engine().importImage(reference, call.all("change"), call.exchange().body());
    call.json(201, Json.object("reference", reference));
  }

  private void load(Call call) throws IOException {
    call.json(200, Json.object("references", engine().load(call.exchange().body())));
  }

  private void save(Call call) throws IOException {
    String reference = call.required("reference");
    ContainerEngine engine = engine();
    if (engine.imageId(reference).isEmpty()) {
      throw new Problem(404, "engine-no-such-image", "there is no image " + reference + " on this gateway");
    }
    call.exchange().type("application/x-tar");
    engine.save(reference, call.exchange().out());
  }

  private void build(Call call) throws IOException {
    String reference = call.required("reference");
    ContainerEngine engine = engine();
    var context = call.exchange().body();
    progress(call, reference, lines -> engine.build(reference, context, lines));
  }

  private void pull(Call call) throws IOException {
    String reference = call.required("reference");
    ContainerEngine engine = engine();
    progress(call, reference, lines -> engine.pull(reference, lines));
  }

  /** One JSON object a line, each sent as it happens; the last one says how it ended, for the status is sent first. */
  private static void progress(Call call, String reference, Consumer<Consumer<String>> work) throws IOException {
    call.exchange().type("application/x-ndjson");
    call.exchange().header("Cache-Control", "no-store");
    OutputStream out = call.exchange().out();
    Map<String, Object> end;
    try {
      work.accept(line -> {
        try {
          send(out, Json.object("stream", line));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
      end = Json.object("reference", reference);
    } catch (EngineException e) {
      end = Json.object("error", String.valueOf(e.getMessage()), "code", Router.code(e));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    send(out, end);
  }

  private static void send(OutputStream out, Object line) throws IOException {
    out.write((Json.line(line) + "\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }
}
