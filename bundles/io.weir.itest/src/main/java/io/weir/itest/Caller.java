package io.weir.itest;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** One connection of a client that speaks HTTP/1.1 and hides nothing of what becomes of the connection. */
public final class Caller implements AutoCloseable {
  private final Socket socket = new Socket();
  private final InputStream in;

  /** What came back; names of header fields are in lower case. */
  public record Answer(int status, Map<String, String> headers, byte[] bytes) {
    public String body() {
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** Which instance answered, if it was a probe. */
    public String host() {
      return headers.get("x-host");
    }

    public boolean closes() {
      return "close".equalsIgnoreCase(headers.get("connection"));
    }
  }

  public Caller(String host, int port) throws IOException {
    this(host, port, Gateway.LONG);
  }

  /** @param patience until it is connected */
  public Caller(String host, int port, Duration patience) throws IOException {
    try {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout((int) Gateway.LONG.toMillis());
      socket.connect(new InetSocketAddress(InetAddress.getByName(host), port), (int) patience.toMillis());
      in = new BufferedInputStream(socket.getInputStream());
    } catch (IOException e) {
      socket.close();
      throw new IOException(host + " port " + port + ": " + e.getMessage(), e);
    }
  }

  public Answer get(String path) throws IOException {
    send(("GET " + path + " HTTP/1.1\r\nHost: weir\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
    return answer();
  }

  public Answer post(String path, String body) throws IOException {
    return post(path, body.getBytes(StandardCharsets.ISO_8859_1));
  }

  public Answer post(String path, byte[] body) throws IOException {
    send(head(path, body.length), body);
    return answer();
  }

  /** Begins a request that the function has to wait for. */
  public void begin(String path, int length) throws IOException {
    send(head(path, length));
  }

  private static byte[] head(String path, int length) {
    return ("POST " + path + " HTTP/1.1\r\nHost: weir\r\nContent-Length: " + length + "\r\n\r\n")
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  public void send(byte[]... parts) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    socket.getOutputStream().write(all.toByteArray());
  }

  /** One answer, whole. */
  public Answer answer() throws IOException {
    String first = line();
    Map<String, String> headers = new HashMap<>();
    for (String line = line(); !line.isEmpty(); line = line()) {
      int colon = line.indexOf(':');
      headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
    byte[] body = in.readNBytes(length);
    if (body.length < length) {
      throw new EOFException("the answer ends after " + body.length + " of " + length + " bytes");
    }
    return new Answer(Integer.parseInt(first.split(" ")[1]), headers, body);
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("closed" + (line.isEmpty() ? "" : " after " + line));
      }
      line.append((char) next);
    }
    return line.toString().stripTrailing();
  }

  /** Says that nothing more comes, and returns what the other side has to say until it closes as well. */
  public String rest() throws IOException {
    socket.shutdownOutput();
    return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
  }

  /** How the connection ended, for which it waits: {@code closed} or the error's message. */
  public String end() {
    try {
      while (true) {
        if (in.read() < 0) {
          return "closed";
        }
      }
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
