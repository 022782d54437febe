package io.weir.bench;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The witness: stands between the gateway and its broker, passes everything on, and notes which answers the broker has
 * taken, and how often. It is where the gateway's promise ends, so that a broker that forgets cannot hide a loss or be
 * taken for one.
 *
 * <p>An answer of QoS 0 is taken when it is sent, of QoS 1 with PUBACK, of QoS 2 with PUBREL: that is when the broker
 * passes it on. Only if the broker never confirmed that, and has forgotten the session since, is it taken back, because
 * then nobody knows. Thread-safe.
 */
final class Tap implements AutoCloseable {
  private final ServerSocket door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final int broker;
  /** How often each answer was taken, by topic's level and text. */
  private final Map<String, Integer> taken = new TreeMap<>();
  /** What a client's packet ids mean: sent and not taken, taken and not confirmed. */
  private final Map<String, Map<Integer, String>> open = new HashMap<>();
  private final Map<String, Map<Integer, String>> released = new HashMap<>();
  private final Set<String> arrived = new HashSet<>();
  /** Which answers each count of a function was in, by level. */
  private final Map<String, Map<String, Set<String>>> counts = new HashMap<>();
  /** What was said about each answer, for who looks for the reason. */
  private final Map<String, StringBuilder> story = new HashMap<>();
  /** When each client could last be sent messages. */
  private final Map<String, Long> ready = new HashMap<>();
  private volatile boolean closed;

  Tap(int broker) throws IOException {
    this.broker = broker;
    thread(this::accept);
  }

  int port() {
    return door.getLocalPort();
  }

  /** How often it was taken. */
  synchronized int taken(String answer) {
    return taken.getOrDefault(answer, 0);
  }

  /** How many counts were in the answers to several messages. */
  synchronized long sharedCounts(String level) {
    return counts.getOrDefault(level, Map.of()).values().stream().filter(answers -> answers.size() > 1).count();
  }

  /** Whether the message it answers was sent to the gateway. */
  synchronized boolean arrived(String answer) {
    return arrived.contains(answer);
  }

  /** How it came to that. */
  synchronized String story(String answer) {
    return story.getOrDefault(answer, new StringBuilder()).toString();
  }

  private void tell(String answer, String what) {
    if (answer != null) {
      story.computeIfAbsent(answer, first -> new StringBuilder()).append(' ').append(System.currentTimeMillis() % 10_000_000)
          .append(' ').append(what);
    }
  }

  /** How many clients' sessions there were, and are again since then. */
  synchronized boolean backSince(long nanos) {
    return !ready.isEmpty() && ready.values().stream().allMatch(at -> at - nanos > 0);
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void thread(Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (IOException e) {
        return;   // one of the two is gone, and so is the other then
      }
    }, "tap");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() throws IOException {
    while (!closed) {
      Socket gateway = door.accept();
      thread(() -> {
        try (gateway; Socket to = new Socket(InetAddress.getLoopbackAddress(), broker)) {
          new Line(gateway, to).run();
        }
      });
    }
  }

  @Override
  public void close() throws IOException {
    closed = true;
    door.close();
  }

  /** One connection of the gateway. */
  private final class Line {
    private final Socket gateway;
    private final Socket to;
    private volatile String client = "";
    /** Answers of QoS 1 without a receipt on this connection. */
    private final Map<Integer, String> unconfirmed = new HashMap<>();

    Line(Socket gateway, Socket to) throws IOException {
      this.gateway = gateway;
      this.to = to;
      gateway.setTcpNoDelay(true);
      to.setTcpNoDelay(true);
    }

    void run() throws IOException {
      thread(() -> {
        try (gateway; to) {
          pass(to, gateway, this::fromBroker);
        }
      });
      pass(gateway, to, this::fromGateway);
    }

    private interface Look {
      void at(int type, int flags, ByteBuffer body);
    }

    /** Packet by packet; what is looked at is not yet passed on. */
    private static void pass(Socket from, Socket to, Look look) throws IOException {
      DataInputStream in = new DataInputStream(new java.io.BufferedInputStream(from.getInputStream(), 1 << 16));
      OutputStream out = to.getOutputStream();
      while (true) {
        int first = in.read();
        if (first < 0) {
          throw new EOFException();
        }
        ByteBuffer head = ByteBuffer.allocate(5).put((byte) first);
        int length = 0;
        for (int shift = 0, next = 128; next >= 128; shift += 7) {
          next = in.readUnsignedByte();
          head.put((byte) next);
          length |= (next & 127) << shift;
        }
        byte[] packet = new byte[head.position() + length];
        System.arraycopy(head.array(), 0, packet, 0, head.position());
        in.readFully(packet, head.position(), length);
        look.at(first >> 4, first & 15, ByteBuffer.wrap(packet, head.position(), length).slice());
        out.write(packet);
      }
    }

    private void fromGateway(int type, int flags, ByteBuffer body) {
      synchronized (Tap.this) {
        switch (type) {
          case 1 -> client = client(body);
          case 3 -> published(flags, body);
          case 6 -> release(body.getShort() & 0xFFFF);
          default -> { }
        }
      }
    }

    private void fromBroker(int type, int flags, ByteBuffer body) {
      synchronized (Tap.this) {
        switch (type) {
          case 3 -> arrives(flags, body);
          case 2 -> {
            if (body.get(0) == 0 && body.get(1) == 0) {
              forgotten();
            } else if (body.get(1) == 0) {
              ready.put(client, System.nanoTime());
            }
          }
          case 4 -> take(unconfirmed.remove(body.getShort() & 0xFFFF), 1);
          case 9 -> ready.put(client, System.nanoTime());
          case 5 -> tell(of(open).get(body.getShort() & 0xFFFF), "PUBREC");
          case 7 -> tell(of(released).remove(body.getShort() & 0xFFFF), "PUBCOMP");
          default -> { }
        }
      }
    }

    private Map<Integer, String> of(Map<String, Map<Integer, String>> all) {
      return all.computeIfAbsent(client, name -> new HashMap<>());
    }

    private void published(int flags, ByteBuffer body) {
      int qos = flags >> 1 & 3;
      String topic = text(body);
      int id = qos == 0 ? 0 : body.getShort() & 0xFFFF;
      int properties = number(body);
      body.position(body.position() + properties);
      String text = StandardCharsets.UTF_8.decode(body).toString();
      String answer = level(topic) + " " + word(text);
      if (Character.isDigit(text.charAt(0))) {
        counts.computeIfAbsent(level(topic), first -> new HashMap<>())
            .computeIfAbsent(text.substring(0, text.indexOf(' ')), first -> new TreeSet<>()).add(answer);
      }
      tell(answer, "PUBLISH" + flags + " #" + id + " of " + Integer.toHexString(hashCode()));
      if (qos == 0) {
        take(answer, 1);
      } else if (qos == 1) {
        unconfirmed.put(id, answer);
      } else {
        of(open).put(id, answer);
      }
    }

    /** What the broker sends is not counted, only told. */
    private void arrives(int flags, ByteBuffer body) {
      String level = level(text(body));
      int id = (flags >> 1 & 3) == 0 ? 0 : body.getShort() & 0xFFFF;
      int properties = number(body);
      body.position(body.position() + properties);
      String answer = level + " " + word(StandardCharsets.UTF_8.decode(body).toString());
      arrived.add(answer);
      tell(answer, "came" + flags + " #" + id);
    }

    private void release(int id) {
      String answer = of(open).remove(id);
      tell(answer == null ? of(released).get(id) : answer, "PUBREL #" + id);
      take(answer, 1);
      if (answer != null) {
        of(released).put(id, answer);
      }
    }

    private void forgotten() {
      of(open).values().forEach(answer -> tell(answer, "session lost"));
      of(open).clear();
      of(released).values().forEach(answer -> tell(answer, "session lost"));
      of(released).values().forEach(answer -> take(answer, -1));
      of(released).clear();
    }
  }

  private void take(String answer, int times) {
    if (answer != null) {
      taken.merge(answer, times, Integer::sum);
    }
  }

  /** crash/LEVEL/out/KEY */
  private static String level(String topic) {
    String[] parts = topic.split("/");
    return parts.length > 1 ? parts[1] : topic;
  }

  /** The word that names the message; a function that counts puts a number before it. */
  private static String word(String text) {
    for (String word : text.substring(0, Math.min(text.length(), 64)).split(" ")) {
      if (word.startsWith("n")) {
        return word;
      }
    }
    return text;
  }

  /** Of a CONNECT of MQTT 5. */
  private static String client(ByteBuffer body) {
    text(body);
    body.position(body.position() + 4);
    int properties = number(body);
    body.position(body.position() + properties);
    return text(body);
  }

  private static String text(ByteBuffer body) {
    byte[] bytes = new byte[body.getShort() & 0xFFFF];
    body.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static int number(ByteBuffer body) {
    int value = 0;
    for (int shift = 0, next = 128; next >= 128; shift += 7) {
      next = body.get() & 0xFF;
      value |= (next & 127) << shift;
    }
    return value;
  }
}
