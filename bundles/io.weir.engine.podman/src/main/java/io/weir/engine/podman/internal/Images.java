package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/** Images: read by the service that runs containers, written by whoever may write them. Thread-safe. */
final class Images {
  private final Calls calls;
  private final Settings settings;
  private final Optional<EmbeddedService> embedded;
  private final Runnable changed;

  /** @param changed is told after every image that was written */
  Images(Calls calls, Optional<EmbeddedService> embedded, Runnable changed) {
    this.calls = calls;
    this.settings = calls.settings;
    this.embedded = embedded;
    this.changed = changed;
  }

  Optional<String> id(String reference) {
    String what = "looking for image " + reference;
    Libpod libpod = calls.libpod;
    return calls.call(what, session -> libpod.get(what, "images", reference, "exists").within(settings.callTimeout()).found()
        ? Optional.of(Json.text(Json.object(libpod.get(what, "images", reference, "json")
            .within(settings.callTimeout()).text()), "Id"))
        : Optional.empty());
  }

  private <T> T write(String what, Function<Libpod, T> work) {
    // Only the service that runs knows whether another one writes.
    calls.session(what);
    T result = embedded.flatMap(EmbeddedService::images).map(images -> images.use(what, work))
        .orElseGet(() -> calls.call(what, here -> work.apply(calls.libpod)));
    changed.run();
    return result;
  }

  List<String> load(InputStream archive) {
    String what = "loading an image archive";
    return write(what, podman -> Json.strings(Json.object(podman.upload(what, archive, "images", "load")
        .within(settings.imageTimeout()).text()), "Names"));
  }

  /** Writes the image in the format that every version of Podman and Docker loads. */
  void save(String reference, OutputStream to) {
    String what = "saving image " + reference;
    calls.call(what, session -> {
      calls.libpod.get(what, "images", reference, "get").query("format", "docker-archive").stream()
          .within(settings.imageTimeout()).to(to);
      return true;
    });
  }

  /**
   * The service that writes images knows nothing of the containers of the one that runs them, and would take the files away
   * from under them. If the image has other names, only the name goes.
   */
  void remove(String reference) {
    if (id(reference).isEmpty()) {
      return;
    }
    String what = "removing image " + reference;
    Map<String, Object> image = calls.call(what, session -> Json.object(calls.libpod.get(what, "images", reference, "json")
        .within(settings.callTimeout()).text()));
    boolean last = Json.strings(image, "RepoTags").size() < 2;
    if (last && hasContainers(what, Json.text(image, "Id"))) {
      throw new EngineException(EngineException.Code.CONFLICT, what + ": there are containers of it");
    }
    write(what, podman -> podman.delete(what, "images", reference).within(settings.callTimeout()).text());
  }

  private boolean hasContainers(String what, String id) {
    return calls.call(what, session -> Json.objects(calls.libpod.get(what, "containers", "json").query("all", "true")
        .within(settings.callTimeout()).text()).stream().anyMatch(each -> Json.text(each, "ImageID").equals(id)));
  }

  void importImage(String reference, List<String> changes, InputStream rootfs) {
    String what = "importing image " + reference;
    write(what, podman -> {
      Libpod.Req request = podman.upload(what, rootfs, "images", "import").query("reference", reference)
          .within(settings.imageTimeout());
      changes.forEach(change -> request.query("changes", change));
      return request.text();
    });
  }

  /** Without a {@code dockerfile} parameter Podman looks for Containerfile, then for Dockerfile. */
  void build(String reference, InputStream context, Consumer<String> progress) {
    String what = "building image " + reference;
    write(what, podman -> {
      Progress told = new Progress(what, progress);
      podman.upload(what, context, "build").query("t", reference).query("pullpolicy", "never")
          // Or what a failed build, or one with nothing to do, worked on stays mounted.
          .query("forcerm", "true").query("isolation", "chroot").within(settings.imageTimeout()).lines(told);
      return told.done();
    });
  }

  void pull(String reference, Consumer<String> progress) {
    String what = "pulling image " + reference;
    write(what, podman -> {
      Progress told = new Progress(what, progress);
      podman.post(what, "images", "pull").query("reference", reference).query("policy", "missing").stream()
          .within(settings.imageTimeout()).lines(told);
      return told.done();
    });
  }
}
