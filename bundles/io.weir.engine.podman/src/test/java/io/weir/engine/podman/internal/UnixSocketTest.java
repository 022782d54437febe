package io.weir.engine.podman.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import okhttp3.Call;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class UnixSocketTest {
  @TempDir
  Path directory;
  private Path path;
  private ServerSocketChannel server;

  @BeforeEach
  void listen() throws IOException {
    path = directory.resolve("socket");
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  private UnixSocket connected() throws IOException {
    UnixSocket socket = new UnixSocket(path);
    socket.connect(null);
    return socket;
  }

  @Test
  void carriesMoreThanTheKernelBuffersInBothDirections() throws Exception {
    byte[] sent = new byte[3 << 20];
    new java.util.Random(1).nextBytes(sent);
    try (UnixSocket socket = connected(); SocketChannel peer = server.accept()) {
      CompletableFuture<Void> echo = CompletableFuture.runAsync(() -> echo(peer));
      CompletableFuture<Void> writing = CompletableFuture.runAsync(() -> write(socket, sent));

      byte[] received = socket.getInputStream().readNBytes(sent.length);

      writing.get();
      assertThat(received).isEqualTo(sent);
      socket.shutdownOutput();
      echo.get();
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  private static void write(UnixSocket socket, byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void echo(SocketChannel peer) {
    ByteBuffer buffer = ByteBuffer.allocate(10_000);
    try {
      while (peer.read(buffer.clear()) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          peer.write(buffer);
        }
      }
      peer.shutdownOutput();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aReadEndsWhenItsTimeIsUp() throws Exception {
    try (UnixSocket socket = connected(); SocketChannel peer = server.accept()) {
      socket.setSoTimeout(20);

      assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);

      peer.write(ByteBuffer.wrap(new byte[] {7}));
      assertThat(socket.getInputStream().read()).isEqualTo(7);
    }
  }

  @Test
  void closingEndsAReadInProgress() throws Exception {
    UnixSocket socket = connected();
    try (SocketChannel peer = server.accept()) {
      CompletableFuture<Throwable> failure = new CompletableFuture<>();
      Thread reader = reader(socket, failure);
      awaitBlocked(reader);

      socket.close();

      assertThat(failure.get(10, TimeUnit.SECONDS)).isInstanceOf(SocketException.class);
      assertThat(socket.isClosed()).isTrue();
    }
  }

  @Test
  void interruptingEndsAReadAndKeepsTheFlag() throws Exception {
    try (UnixSocket socket = connected(); SocketChannel peer = server.accept()) {
      CompletableFuture<Throwable> failure = new CompletableFuture<>();
      Thread reader = reader(socket, failure);
      awaitBlocked(reader);

      reader.interrupt();

      assertThat(failure.get(10, TimeUnit.SECONDS)).isInstanceOf(InterruptedIOException.class)
          .hasMessage("interrupted, flag true");
    }
  }

  private static Thread reader(UnixSocket socket, CompletableFuture<Throwable> failure) {
    Thread reader = new Thread(() -> {
      try {
        socket.getInputStream().read();
      } catch (InterruptedIOException e) {
        failure.complete(new InterruptedIOException(
            e.getMessage() + ", flag " + Thread.currentThread().isInterrupted()));
      } catch (IOException e) {
        failure.complete(e);
      }
    });
    reader.start();
    return reader;
  }

  private static void awaitBlocked(Thread reader) {
    while (java.util.Arrays.stream(reader.getStackTrace()).noneMatch(frame -> frame.getMethodName().equals("wait")
        && frame.getClassName().contains("EPoll"))) {
      Thread.onSpinWait();
    }
  }

  @Test
  void saysThatNobodyListens() throws Exception {
    server.close();

    assertThatThrownBy(this::connected).isInstanceOf(ConnectException.class).hasMessageContaining(path.toString());
    java.nio.file.Files.delete(path);
    assertThatThrownBy(this::connected).isInstanceOf(ConnectException.class).hasMessageContaining(path.toString());
  }

  /**
   * OkHttp probes a connection that was idle for ten seconds before it trusts it with a POST. Over a blocking channel
   * that probe never returns, so this test has to wait that long.
   */
  @Test
  void aPostAfterElevenIdleSecondsGoesOut() throws Exception {
    server.close();
    java.nio.file.Files.delete(path);
    try (FakePodman fake = new FakePodman(path, line -> FakePodman.response(200, "fine"))) {
      OkHttpClient client = client();
      assertThat(post(client)).isEqualTo("fine");

      new CountDownLatch(1).await(11, TimeUnit.SECONDS);

      assertThat(post(client)).isEqualTo("fine");
      assertThat(fake.connections).as("the idle connection was used again").hasSize(1);
    }
  }

  @Test
  void cancellingEndsACallInProgress() throws Exception {
    server.close();
    java.nio.file.Files.delete(path);
    try (FakePodman fake = new FakePodman(path, line -> FakePodman.NO_ANSWER)) {
      Call call = client().newCall(request());
      AtomicReference<IOException> failure = new AtomicReference<>();
      Thread caller = new Thread(() -> {
        try (Response response = call.execute()) {
          throw new AssertionError(response);
        } catch (IOException e) {
          failure.set(e);
        }
      });
      caller.start();
      fake.requests.take();

      call.cancel();
      caller.join();

      assertThat(failure.get()).isNotNull();
    }
  }

  private OkHttpClient client() {
    return new OkHttpClient.Builder().socketFactory(new UnixSocketFactory(path))
        .dns(host -> List.of(InetAddress.getLoopbackAddress())).callTimeout(20, TimeUnit.SECONDS).build();
  }

  private static Request request() {
    return new Request.Builder().url("http://podman/").post(RequestBody.create(new byte[0], null)).build();
  }

  private static String post(OkHttpClient client) throws IOException {
    try (Response response = client.newCall(request()).execute()) {
      return response.body().string();
    }
  }
}
