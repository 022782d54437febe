package io.weir.activator.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A function's HTTP server, as well or badly behaved as a test wants it. A thread for each connection. */
final class Origin implements AutoCloseable {
  /** What is done with a connection. */
  interface Behaviour {
    void serve(Socket socket, InputStream in, OutputStream out) throws Exception;
  }

  final AtomicInteger connections = new AtomicInteger();
  /** Heads as they came. */
  final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
  volatile Behaviour behaviour = this::echo;
  private final ServerSocket server = new ServerSocket(0, 100, InetAddress.getByName("127.0.0.1"));
  private final CopyOnWriteArrayList<Socket> sockets = new CopyOnWriteArrayList<>();

  Origin() throws IOException {
    thread(() -> {
      while (true) {
        Socket socket = server.accept();
        sockets.add(socket);
        connections.incrementAndGet();
        thread(() -> {
          try (socket) {
            behaviour.serve(socket, socket.getInputStream(), socket.getOutputStream());
          }
        });
      }
    });
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void thread(Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (Exception e) {
        // A connection that ended, or the test that did.
      }
    });
    thread.setDaemon(true);
    thread.start();
  }

  int port() {
    return server.getLocalPort();
  }

  /** HTTP/1.1 with keep-alive: says what it was sent. */
  void echo(Socket socket, InputStream in, OutputStream out) throws IOException {
    for (String head = head(in); head != null; head = head(in)) {
      heads.add(head);
      byte[] body = in.readNBytes(length(head));
      boolean close = head.toLowerCase().matches("(?s).*\r\nconnection: close.*") || head.contains("HTTP/1.0");
      answer(out, body.length == 0 ? head.substring(0, head.indexOf('\r')).getBytes() : body, close);
      if (close) {
        return;
      }
    }
  }

  static void answer(OutputStream out, byte[] body, boolean close) throws IOException {
    out.write(("HTTP/1.1 200 OK\r\nContent-Length: " + body.length + (close ? "\r\nConnection: close" : "") + "\r\n\r\n")
        .getBytes(StandardCharsets.US_ASCII));
    out.write(body);
    out.flush();
  }

  static int length(String head) {
    for (String line : head.split("\r\n")) {
      if (line.toLowerCase().startsWith("content-length:")) {
        return Integer.parseInt(line.substring(15).strip());
      }
    }
    return 0;
  }

  /** Up to the empty line; null at the end. */
  static String head(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    for (int last = 0, next = in.read(); next >= 0; next = in.read()) {
      head.write(next);
      last = last << 8 | next;
      if (last == 0x0d0a0d0a) {
        return head.toString(StandardCharsets.ISO_8859_1);
      }
    }
    return null;
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
