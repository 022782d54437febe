package io.weir.engine.podman.internal;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;

/** A unix socket that answers each request as told, to fail in ways the real one seldom does. */
final class FakePodman implements AutoCloseable {
  /** Given by the answering function to leave a request without an answer. */
  static final String NO_ANSWER = "";

  final Path socket;
  /** Request lines, without the protocol. */
  final BlockingQueue<String> requests = new LinkedBlockingQueue<>();
  final List<SocketChannel> connections = new CopyOnWriteArrayList<>();
  private final ServerSocketChannel server;
  private final Function<String, String> answer;
  private final ConcurrentLinkedQueue<Thread> threads = new ConcurrentLinkedQueue<>();

  /** @param answer from request line to the whole raw response */
  FakePodman(Path socket, Function<String, String> answer) throws IOException {
    this.socket = socket;
    this.answer = answer;
    this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
    daemon(this::accept);
  }

  static String response(int status, String body) {
    return "HTTP/1.1 " + status + " Whatever\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel connection = server.accept();
        connections.add(connection);
        daemon(() -> serve(connection));
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void serve(SocketChannel connection) {
    StringBuilder received = new StringBuilder();
    ByteBuffer buffer = ByteBuffer.allocate(65_536);
    try {
      while (connection.read(buffer.clear()) >= 0) {
        received.append(StandardCharsets.UTF_8.decode(buffer.flip()));
        if (complete(received)) {
          String line = received.substring(0, received.indexOf(" HTTP/1.1"));
          received.setLength(0);
          requests.add(line);
          connection.write(StandardCharsets.UTF_8.encode(answer.apply(line)));
        }
      }
    } catch (IOException e) {
      // the client is gone
    }
  }

  private static boolean complete(StringBuilder received) {
    int head = received.indexOf("\r\n\r\n");
    if (head < 0) {
      return false;
    }
    String headers = received.substring(0, head).toLowerCase(java.util.Locale.ROOT);
    if (headers.contains("transfer-encoding: chunked")) {
      return received.toString().endsWith("0\r\n\r\n");
    }
    int at = headers.indexOf("content-length: ");
    int length = at < 0 ? 0 : Integer.parseInt(headers.substring(at + 16).split("\r\n", 2)[0]);
    return received.length() >= head + 4 + length;
  }

  private void daemon(Runnable work) {
    Thread thread = new Thread(work, "fake-podman");
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (SocketChannel connection : connections) {
      connection.close();
    }
  }
}
