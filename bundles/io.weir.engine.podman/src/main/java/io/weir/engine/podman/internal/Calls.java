package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.util.Map;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls to a Podman service that may just be coming or going. Thread-safe. */
final class Calls {
  private static final Logger LOG = LoggerFactory.getLogger(Calls.class);

  final Libpod libpod;
  final Settings settings;
  private final Presence<Session> presence;

  Calls(Libpod libpod, Settings settings, Presence<Session> presence) {
    this.libpod = libpod;
    this.settings = settings;
    this.presence = presence;
  }

  /** The session, once the service is there. */
  Session session(String what) {
    return presence.await(what, settings.serviceWait());
  }

  /**
   * Makes a call once the service is there. One that found nobody listening was never heard, so it is made again when
   * the service is back.
   */
  <T> T call(String what, Function<Session, T> call) {
    Session session = session(what);
    try {
      return call.apply(session);
    } catch (EngineException e) {
      if (e.code() != Code.UNAVAILABLE || e.getCause() instanceof InterruptedIOException) {
        throw e;
      }
      presence.suspect(session);
      if (!(e.getCause() instanceof ConnectException)) {
        throw e;
      }
      LOG.debug("{}: again, nobody listened", what);
      return call.apply(session(what));
    }
  }

  void run(String what, Function<Session, Libpod.Req> request) {
    call(what, session -> request.apply(session).text());
  }

  /** What Podman knows of a container. */
  Map<String, Object> inspect(String what, String id) {
    return call(what, session -> Json.object(libpod.get(what, "containers", id, "json")
        .within(settings.callTimeout()).text()));
  }
}
