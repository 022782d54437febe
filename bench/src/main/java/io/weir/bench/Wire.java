package io.weir.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One HTTP request, timed from sending it until the first byte of the answer, on a connection that was opened for it
 * before. The same client calls Weir and what Weir is compared with, so that what it costs itself is on both sides.
 */
final class Wire implements AutoCloseable {
  private static final int ANSWERS_WITHIN_MILLIS = 60_000;
  private static final long POLL_NANOS = 500_000;
  private static final Pattern LENGTH = Pattern.compile("(?i)\ncontent-length: *([0-9]+)");

  private final Socket socket = new Socket();

  Wire(InetSocketAddress server) throws IOException {
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(ANSWERS_WITHIN_MILLIS);
    try {
      socket.connect(server, ANSWERS_WITHIN_MILLIS);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Milliseconds to the first byte; an answer other than 200 is a failure. */
  double get(String path) throws IOException {
    byte[] request = ("GET " + path + " HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        .getBytes(StandardCharsets.US_ASCII);
    InputStream in = socket.getInputStream();
    long began = System.nanoTime();
    socket.getOutputStream().write(request);
    int first = in.read();
    double took = Baseline.millisSince(began);
    String answer = rest(first, in);
    if (!answer.startsWith("HTTP/1.1 200 ")) {
      throw new IOException("GET " + path + " at " + socket.getRemoteSocketAddress() + " was answered: " + answer);
    }
    return took;
  }

  /** The whole answer: as long as it says, or until the server closes. */
  private static String rest(int first, InputStream in) throws IOException {
    StringBuilder answer = new StringBuilder().append((char) first);
    int end = Integer.MAX_VALUE;
    for (int next = first; next >= 0 && answer.length() < end; ) {
      next = in.read();
      answer.append((char) next);
      if (next == '\n' && answer.length() > 4 && answer.substring(answer.length() - 4).equals("\r\n\r\n")) {
        Matcher length = LENGTH.matcher(answer);
        end = length.find() ? answer.length() + Integer.parseInt(length.group(1)) : end;
      }
    }
    return answer.toString();
  }

  /** Milliseconds to the first byte from a server that is only just starting: asks until somebody listens. */
  static double await(InetSocketAddress server) throws IOException {
    long began = System.nanoTime();
    while (true) {
      try (Wire wire = new Wire(server)) {
        return Baseline.millisSince(began) + wire.get("/");
      } catch (ConnectException e) {
        if (Baseline.millisSince(began) > ANSWERS_WITHIN_MILLIS) {
          throw new IOException("nothing listens at " + server, e);
        }
        LockSupport.parkNanos(POLL_NANOS);
      }
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
