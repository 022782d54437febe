package io.weir.kernel.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.kernel.KernelReport.Feature;
import io.weir.kernel.Meter.Counts;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Between this process and a real server, as root. */
class ShortcutIT {
  private final Random random = new Random(4);
  @TempDir Path folder;
  private Lab lab;
  private DataPlane plane;
  private Lab.House house;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab(folder);
  }

  @AfterEach
  void close() throws Exception {
    lab.close();
  }

  private void serve() throws Exception {
    plane = lab.engage();
    house = lab.house();
    plane.traffic().join(house.member("near"));
    house.listen();
  }

  private Counts counts() {
    return plane.meter().functions().get(0).counts();
  }

  private static void eventually(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("time").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  /** A connection as the gateway's are. */
  private static final class Caller implements AutoCloseable {
    final Socket socket;
    private final DataInputStream in;

    Caller(Lab.House house) throws IOException {
      socket = new Socket(house.address, 8080);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(20_000);
      in = new DataInputStream(socket.getInputStream());
    }

    void ask(String method, String path, byte[] body) throws IOException {
      byte[] head = (method + ' ' + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length + "\r\n\r\n")
          .getBytes(StandardCharsets.US_ASCII);
      byte[] all = new byte[head.length + body.length];
      System.arraycopy(head, 0, all, 0, head.length);
      System.arraycopy(body, 0, all, head.length, body.length);
      socket.getOutputStream().write(all);
    }

    byte[] answer() throws IOException {
      StringBuilder head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        head.append((char) in.readUnsignedByte());
      }
      assertThat(head.toString()).startsWith("HTTP/1.1 200");
      byte[] body = new byte[Integer.parseInt(head.toString().replaceAll("(?s).*Content-Length: (\\d+).*", "$1"))];
      in.readFully(body);
      return body;
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  @Test
  void carriesAThousandRequestsExactlyAndCountsThem() throws Exception {
    serve();
    long[] carried = new long[2];
    for (int i = 0; i < 50; i++) {
      try (Caller caller = new Caller(house)) {
        for (int k = 0; k < 20; k++) {
          // Every fifth connection has bodies that outgrow what may be under way without TCP.
          byte[] body = bytes(i % 5 == 4 && k % 4 == 3 ? 10_000 + random.nextInt(2_000_000) : random.nextInt(4000));
          caller.ask("POST", "/echo", body);
          assertThat(caller.answer()).isEqualTo(body);
        }
        List<Long> direct = plane.shortcut().carried();
        carried[0] += direct.get(0);
        carried[1] += direct.get(1);
      }
    }

    assertThat(carried[0]).as("to the function").isGreaterThan(700);
    assertThat(carried[1]).as("to the gateway").isGreaterThan(700);
    eventually(() -> counts().inFlight() == 0);
    assertThat(counts().requests()).isEqualTo(1000);
    assertThat(counts().responses()).isEqualTo(List.of(0L, 0L, 1000L, 0L, 0L, 0L));
    assertThat(counts().aborts()).isZero();
    assertThat(counts().connections()).isEqualTo(50);
    assertThat(counts().other()).isZero();
    assertThat(counts().bytesIn()).isGreaterThan(1_000_000);
  }

  @Test
  void answersAConnectionThatIsHalfClosed() throws Exception {
    serve();
    for (int i = 0; i < 50; i++) {
      try (Caller caller = new Caller(house)) {
        byte[] body = bytes(i % 2 == 0 ? 100 : 300_000);
        caller.ask("POST", "/echo", body);
        caller.socket.shutdownOutput();
        assertThat(caller.answer()).isEqualTo(body);
        assertThat(caller.socket.getInputStream().read()).as("and then the end").isNegative();
      }
    }
    eventually(() -> counts().inFlight() == 0);
    assertThat(counts().requests()).isEqualTo(50);
    assertThat(counts().aborts()).isZero();
  }

  @Test
  void aServerThatDiesEndsTheConnection() throws Exception {
    serve();
    try (Caller caller = new Caller(house)) {
      caller.ask("GET", "/", new byte[0]);
      assertThat(caller.answer()).isNotEmpty();
      assertThat(plane.shortcut().carried().get(0)).isPositive();
      caller.ask("GET", "/slow", new byte[0]);
      eventually(() -> counts().inFlight() == 1);

      house.end();

      int end;
      try {
        end = caller.socket.getInputStream().read();
      } catch (IOException e) {
        end = -1;
      }
      assertThat(end).isNegative();
    }
    eventually(() -> counts().aborts() == 1);
    assertThat(counts().requests()).isEqualTo(2);
    assertThat(counts().inFlight()).isZero();
  }

  @Test
  void isForRunnersUnlessAllAreMeant() throws Exception {
    lab.shortcut = Settings.Shortcut.RUNNERS;
    serve();
    Lab.House runner = lab.house();
    plane.traffic().join(runner.runner("runs"));
    runner.listen();

    try (Caller image = new Caller(house); Caller near = new Caller(runner)) {
      image.ask("GET", "/", new byte[0]);
      image.answer();
      assertThat(plane.shortcut().carried()).containsExactly(0L, 0L);
      near.ask("GET", "/", new byte[0]);
      near.answer();
      assertThat(plane.shortcut().carried()).doesNotContain(0L);
    }
  }

  @Test
  void isTakenUpByTheNextGatewayAndIsGoneWhereItIsNotWanted() throws Exception {
    serve();
    try (Caller caller = new Caller(house)) {
      caller.ask("GET", "/", new byte[0]);
      caller.answer();
      lab.kill();
    }

    plane = lab.engage();
    plane.traffic().join(house.member("near"));
    try (Caller caller = new Caller(house)) {
      caller.ask("GET", "/", new byte[0]);
      caller.answer();
      assertThat(plane.shortcut().carried()).doesNotContain(0L);
    }
    eventually(() -> counts().requests() == 2);
    lab.kill();

    lab.shortcut = Settings.Shortcut.NONE;
    plane = lab.engage();
    assertThat(lab.features.features()).filteredOn(feature -> feature.name().equals("shortcut"))
        .noneMatch(Feature::active).extracting(Feature::why).containsExactly("shortcut=none in io.weir.kernel");
    assertThat(lab.pins().resolve("shortcuts")).doesNotExist();
    plane.traffic().join(house.member("near"));
    try (Caller caller = new Caller(house)) {
      caller.ask("GET", "/", new byte[0]);
      assertThat(caller.answer()).isNotEmpty();
    }
  }

  @Test
  void connectionsOutliveIt() throws Exception {
    serve();
    try (Caller caller = new Caller(house)) {
      byte[] body = bytes(1000);
      caller.ask("POST", "/echo", body);
      assertThat(caller.answer()).isEqualTo(body);
      assertThat(plane.shortcut().carried()).doesNotContain(0L);

      lab.disengage();

      caller.ask("POST", "/echo", body);
      assertThat(caller.answer()).as("by TCP").isEqualTo(body);
    }
    assertThat(Lab.output("bpftool", "cgroup", "tree", lab.cgroup.toString())).doesNotContain("weir_shortcut");
  }
}
