package io.weir.invoker.internal;

import io.weir.engine.Lease;
import io.weir.function.FunctionSpec;
import io.weir.invocation.Header;
import io.weir.invocation.Invocation;
import io.weir.invocation.Outcome;
import io.weir.invocation.Payload;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;

/** One HTTP call to one instance whose body or answer is streamed. Blocks; thread-safe. */
final class FunctionClient implements AutoCloseable {
  private static final int BUFFER = 16 * 1024;

  private final OkHttpClient client;
  private final int maxReplyBytes;

  FunctionClient(int maxReplyBytes) {
    this.maxReplyBytes = maxReplyBytes;
    // No retries of its own: only the invoker knows what may be repeated. Idle connections are dropped before the
    // 5 s after which common servers (Node) close theirs, or a request would be lost on a closed one.
    this.client = new OkHttpClient.Builder()
        .protocols(List.of(Protocol.HTTP_1_1))
        .connectionPool(new ConnectionPool(256, 4, TimeUnit.SECONDS))
        .retryOnConnectionFailure(false)
        .followRedirects(false)
        .followSslRedirects(false)
        // There is one address; looking for the fastest of several would connect on another thread, and wait for it.
        .fastFallback(false)
        .proxy(Proxy.NO_PROXY)
        .dns(InstanceHost::resolve)
        .connectTimeout(Duration.ofSeconds(2))
        .readTimeout(Duration.ZERO)
        .writeTimeout(Duration.ZERO)
        .build();
  }

  /** Calls the function; the answer's body is read by whoever closes it, or held if the invocation is not streamed. */
  Outcome.Replied call(Invocation invocation, FunctionSpec function, Lease lease, Runnable whenRead,
      Duration coldStart, long arrivedNanos) throws CallFailed {
    Upload upload = new Upload(invocation);
    Call call = client.newCall(request(invocation, lease, upload));
    call.timeout().timeout(function.timeout().toNanos(), TimeUnit.NANOSECONDS);
    Response response;
    try {
      response = call.execute();
    } catch (IOException e) {
      throw failure(e, function, upload);
    }
    Duration took = Duration.ofNanos(System.nanoTime() - arrivedNanos);
    List<Header> headers = headers(response);
    if (invocation.streamed()) {
      return new Outcome.Replied(response.code(), headers, new StreamedBody(response.body(), whenRead), took, coldStart);
    }
    try (ResponseBody body = response.body()) {
      byte[] bytes = body.byteStream().readNBytes(maxReplyBytes + 1);
      if (bytes.length > maxReplyBytes) {
        throw CallFailed.tooLarge(function, maxReplyBytes);
      }
      return new Outcome.Replied(response.code(), headers, new HeldBody(bytes), took, coldStart);
    } catch (IOException e) {
      throw failure(e, function, upload);
    }
  }

  private static Request request(Invocation invocation, Lease lease, Upload upload) {
    String base = "http://" + InstanceHost.of(lease) + ":" + lease.address().getPort();
    Request.Builder request = new Request.Builder().url(HttpUrl.get(base + invocation.target()));
    boolean host = false;
    boolean encoding = false;
    boolean agent = false;
    for (Header header : invocation.headers()) {
      String name = header.name();
      host |= name.equalsIgnoreCase("host");
      encoding |= name.equalsIgnoreCase("accept-encoding");
      agent |= name.equalsIgnoreCase("user-agent");
      if (!name.equalsIgnoreCase("content-length") && !HopByHop.contains(name)) {
        request.addHeader(name, header.value());
      }
    }
    if (!host) {
      request.addHeader("Host", invocation.function().value());
    }
    if (!encoding) {
      request.addHeader("Accept-Encoding", "identity");   // or the client asks for gzip and unpacks it
    }
    if (!agent) {
      request.addHeader("User-Agent", "weir");
    }
    return request.method(invocation.method(), upload.orNullFor(invocation.method())).build();
  }

  private static List<Header> headers(Response response) {
    var fields = response.headers();
    List<Header> headers = new ArrayList<>(fields.size());
    for (int i = 0; i < fields.size(); i++) {
      if (!HopByHop.contains(fields.name(i))) {
        headers.add(new Header(fields.name(i), fields.value(i)));
      }
    }
    return headers;
  }

  private static CallFailed failure(IOException e, FunctionSpec function, Upload upload) {
    if (upload.broken) {
      return new CallFailed("invalid-request", "the request's body ended early: " + e.getMessage(), true, false, e);
    }
    if (e instanceof ConnectException || e instanceof NoRouteToHostException
        || e instanceof SocketTimeoutException && "Connect timed out".equalsIgnoreCase(e.getMessage())) {
      return CallFailed.refused(function, false, e);
    }
    return e instanceof InterruptedIOException ? CallFailed.timeout(function, e) : CallFailed.reset(function, e);
  }

  @Override
  public void close() {
    client.dispatcher().cancelAll();
    client.connectionPool().evictAll();
  }

  /** The request body, which knows whether its source broke rather than the function. */
  private static final class Upload extends RequestBody {
    private final Payload payload;
    private boolean broken;

    Upload(Invocation invocation) {
      this.payload = invocation.body();
    }

    @Nullable RequestBody orNullFor(String method) {
      boolean never = method.equals("GET") || method.equals("HEAD");
      boolean always = method.equals("POST") || method.equals("PUT") || method.equals("PATCH");
      return never || !always && payload.length() == 0 ? null : this;
    }

    @Override
    public @Nullable MediaType contentType() {
      return null;   // the invocation's own header says it
    }

    @Override
    public long contentLength() {
      return payload.length();
    }

    @Override
    public boolean isOneShot() {
      return !payload.repeatable();
    }

    @Override
    public void writeTo(BufferedSink sink) throws IOException {
      byte[] buffer = new byte[BUFFER];
      try (InputStream in = payload.open()) {
        for (int n = read(in, buffer); n >= 0; n = read(in, buffer)) {
          sink.write(buffer, 0, n);
          if (payload.length() < 0) {
            sink.flush();   // a stream without an end in sight is passed on as it comes
          }
        }
      }
    }

    private int read(InputStream in, byte[] buffer) throws IOException {
      try {
        return in.read(buffer);
      } catch (IOException e) {
        broken = true;
        throw e;
      }
    }
  }

  private static final class StreamedBody implements Outcome.Body {
    private final ResponseBody body;
    private final Runnable whenRead;

    StreamedBody(ResponseBody body, Runnable whenRead) {
      this.body = body;
      this.whenRead = whenRead;
    }

    @Override
    public InputStream stream() {
      return body.byteStream();
    }

    @Override
    public long length() {
      return body.contentLength();
    }

    @Override
    public void close() {
      try {
        body.close();
      } finally {
        whenRead.run();
      }
    }
  }
}
