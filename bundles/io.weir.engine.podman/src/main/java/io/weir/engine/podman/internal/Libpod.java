package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import okio.BufferedSource;
import org.jspecify.annotations.Nullable;

/**
 * libpod's REST API: one blocking call each, with a time limit of its own, every failure an {@link EngineException}.
 * Thread-safe.
 *
 * <p>Three clients share no connection, so that neither a build that hangs nor an event stream can hold up a start: calls,
 * streams, pings.
 */
final class Libpod implements AutoCloseable {
  /** Both Podman 4.3 and 5 accept it. */
  private static final HttpUrl BASE = HttpUrl.get("http://podman/v4.0.0/libpod/");
  private static final MediaType JSON = MediaType.get("application/json");
  private static final int CHUNK = 64 << 10;
  private static final MediaType TAR = MediaType.get("application/x-tar");

  private final Path socket;
  private final OkHttpClient calls;
  private final OkHttpClient streams;
  private final OkHttpClient pings;

  Libpod(Path socket) {
    this.socket = socket;
    OkHttpClient base = new OkHttpClient.Builder()
        .socketFactory(new UnixSocketFactory(socket))
        .dns(host -> List.of(InetAddress.getLoopbackAddress()))
        .proxy(Proxy.NO_PROXY)
        .protocols(List.of(Protocol.HTTP_1_1))
        .readTimeout(Duration.ZERO).writeTimeout(Duration.ZERO).callTimeout(Duration.ZERO)
        .followRedirects(false)
        // There is one address. Looking for the fastest of several would connect on another thread, and throw
        // InterruptedException although no signature says so.
        .fastFallback(false)
        .build();
    // A service that systemd starts on demand goes to sleep after 5 s without a connection.
    this.calls = base.newBuilder().connectionPool(new ConnectionPool(4, 4, TimeUnit.SECONDS)).build();
    this.streams = base.newBuilder().connectionPool(new ConnectionPool(0, 1, TimeUnit.SECONDS)).build();
    this.pings = base.newBuilder().connectionPool(new ConnectionPool(1, 4, TimeUnit.SECONDS)).build();
  }

  Path socket() {
    return socket;
  }

  /** One call, being put together. */
  final class Req {
    private final String what;
    private final HttpUrl.Builder url = BASE.newBuilder();
    private final Request.Builder request = new Request.Builder();
    private Duration limit = Duration.ofSeconds(30);
    private boolean starting;
    private OkHttpClient client = calls;

    private Req(String what, String method, @Nullable RequestBody body, String... segments) {
      this.what = what;
      for (String segment : segments) {
        url.addPathSegment(segment);
      }
      request.method(method, body);
    }

    Req query(String name, String value) {
      url.addQueryParameter(name, value);
      return this;
    }

    Req within(Duration time) {
      limit = time;
      return this;
    }

    /** Failures without another reading are {@link EngineException.Code#START_FAILED}. */
    Req starting() {
      starting = true;
      return this;
    }

    Req stream() {
      client = streams;
      return this;
    }

    private Call call() {
      Call call = client.newCall(request.url(url.build()).build());
      call.timeout().timeout(limit.toNanos(), TimeUnit.NANOSECONDS);
      return call;
    }

    /** The answer's body; also for 304, which says that nothing was to do. */
    String text() {
      return read(BufferedSource::readUtf8);
    }

    void run() {
      text();
    }

    /** The answer's bytes. */
    byte[] bytes() {
      return read(BufferedSource::readByteArray);
    }

    /** Copies the answer's bytes, however many. */
    void to(OutputStream out) {
      read(body -> body.inputStream().transferTo(out));
    }

    void lines(Consumer<String> line) {
      read(body -> {
        for (String next = body.readUtf8Line(); next != null; next = body.readUtf8Line()) {
          if (!next.isBlank()) {
            line.accept(next);
          }
        }
        return "";
      });
    }

    /** False if Podman answers 404. */
    boolean found() {
      return read(body -> true, status -> status == 404 ? Optional.of(false) : Optional.empty());
    }

    private <T> T read(Reader<T> reader) {
      return read(reader, status -> Optional.empty());
    }

    private <T> T read(Reader<T> reader, IntFunction<Optional<T>> known) {
      try (Response response = call().execute()) {
        Optional<T> answer = known.apply(response.code());
        if (answer.isPresent()) {
          return answer.get();
        }
        if (response.code() >= 400) {
          throw Failures.of(what, starting, response.code(), response.body().string());
        }
        return reader.read(response.body().source());
      } catch (UnreadableUpload e) {
        throw new EngineException(EngineException.Code.BAD_REQUEST, what + " failed: the archive cannot be read: "
            + e.getCause().getMessage(), e);
      } catch (InterruptedIOException e) {
        throw Failures.timeout(what, limit, e);
      } catch (IOException e) {
        throw Failures.unreachable(what, socket, e);
      }
    }
  }

  private interface Reader<T> {
    T read(BufferedSource body) throws IOException;
  }

  Req get(String what, String... segments) {
    return new Req(what, "GET", null, segments);
  }

  Req post(String what, String... segments) {
    return new Req(what, "POST", RequestBody.create(new byte[0], null), segments);
  }

  Req post(String what, Object json, String... segments) {
    return new Req(what, "POST", RequestBody.create(Json.write(json), JSON), segments);
  }

  Req upload(String what, InputStream tar, String... segments) {
    return new Req(what, "POST", new TarBody(tar), segments).stream();
  }

  Req delete(String what, String... segments) {
    return new Req(what, "DELETE", null, segments);
  }

  /** An endless answer; whoever takes it cancels it. */
  Call open(String query, String... segments) {
    HttpUrl.Builder url = BASE.newBuilder();
    for (String segment : segments) {
      url.addPathSegment(segment);
    }
    return streams.newCall(new Request.Builder().url(url.encodedQuery(query).build()).build());
  }

  /** Whether the service answers, asked on a connection of its own. */
  void ping(Duration limit) {
    Req ping = get("asking whether Podman is there", "_ping").within(limit);
    ping.client = pings;
    ping.run();
  }

  /** Drops connections to a service that is gone. */
  void forget() {
    calls.connectionPool().evictAll();
    pings.connectionPool().evictAll();
  }

  @Override
  public void close() {
    calls.dispatcher().cancelAll();
    for (OkHttpClient client : List.of(calls, streams, pings)) {
      client.connectionPool().evictAll();
    }
  }

  /** The caller's stream broke, not Podman's. */
  private static final class UnreadableUpload extends IOException {
    private static final long serialVersionUID = 1L;

    private UnreadableUpload(IOException cause) {
      super(cause);
    }
  }

  /** A tar of unknown length, sent as it is read. */
  private static final class TarBody extends RequestBody {
    private final InputStream tar;

    private TarBody(InputStream tar) {
      this.tar = tar;
    }

    @Override
    public MediaType contentType() {
      return TAR;
    }

    @Override
    public boolean isOneShot() {
      return true;
    }

    @Override
    public void writeTo(BufferedSink sink) throws IOException {
      byte[] chunk = new byte[CHUNK];
      for (int length = next(chunk); length >= 0; length = next(chunk)) {
        sink.write(chunk, 0, length);
      }
    }

    private int next(byte[] chunk) throws IOException {
      try {
        return tar.read(chunk);
      } catch (IOException e) {
        throw new UnreadableUpload(e);
      }
    }
  }
}
