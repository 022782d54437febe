package io.weir.gateway.mqtt.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.kernel.Adaptor.Flight;
import io.weir.kernel.Adaptor.Place;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is made of answers that the kernel does not take. */
@Timeout(60)
class LaneTest {
  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  private static final String CHUNKED =
      "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\n\r\n0\r\n\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  private static final String NO_CONTENT = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
  private static final String BAD = "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n";
  private static final String UNTIL_CLOSE = "HTTP/1.0 200 OK\r\n\r\nHTTP/1.1 500 No\r\n\r\n";

  private final FakeAdaptor kernel = new FakeAdaptor();
  private final List<Integer> receipts = new ArrayList<>();
  private ServerSocket function;
  private Selector selector;
  private Lane lane;
  private Socket instance;

  @BeforeEach
  void open() throws IOException {
    function = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    selector = Selector.open();
    lane = Lane.open(kernel.subscription().orElseThrow(),
        new Place("ab".repeat(32), (InetSocketAddress) function.getLocalSocketAddress()), selector, () -> {}, receipts::add)
        .orElseThrow();
    instance = function.accept();
  }

  @AfterEach
  void close() throws IOException {
    lane.close();
    instance.close();
    function.close();
    selector.close();
  }

  private void flight(boolean alive, Integer... open) {
    kernel.lanes.get(0).flight = new Flight(40 + open.length, 40, 41, true, alive, List.of(open));
  }

  private void says(String... answers) throws IOException {
    instance.getOutputStream().write(String.join("", answers).getBytes(ISO_8859_1));
  }

  private void hears() throws IOException {
    selector.select();
    selector.selectedKeys().clear();
    lane.silent();
  }

  @Test
  void whatIsAnsweredWell_IsAcknowledgedAndDoesNotComeAgain() throws IOException {
    flight(true, 7, 0, 9);
    assertThat(lane.silent()).isTrue();
    assertThat(lane.quiet()).isFalse();

    says(CHUNKED, OK);
    while (receipts.isEmpty()) {
      hears();
    }

    assertThat(receipts).containsExactly(7);
    assertThat(lane.quiet()).isFalse();
    says(NO_CONTENT);
    while (!lane.quiet()) {
      hears();
    }
    assertThat(receipts).containsExactly(7, 9);
    assertThat(lane.settled()).isTrue();
  }

  @Test
  void onlyWhatFailedComesAgain() throws IOException {
    flight(true, 7, 8, 9);

    says(BAD, OK, CHUNKED);
    while (!lane.quiet()) {
      hears();
    }

    assertThat(receipts).containsExactly(8, 9);
    assertThat(lane.settled()).isFalse();
  }

  @Test
  void whatHasNoAnswerComesAgain() throws IOException {
    flight(true, 7, 8, 9);

    says(OK, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbroken");
    instance.close();
    while (receipts.isEmpty()) {
      hears();
    }
    flight(false, 7, 8, 9);

    assertThat(lane.silent()).isFalse();
    assertThat(receipts).containsExactly(7);
    assertThat(lane.quiet()).isTrue();
    assertThat(lane.settled()).isFalse();
  }

  @Test
  void anAnswerMayEndWithTheConnection() throws IOException {
    flight(true, 7);

    says(UNTIL_CLOSE);
    instance.shutdownOutput();
    while (receipts.isEmpty()) {
      hears();
    }

    assertThat(lane.settled()).isTrue();
  }

  @Test
  void whatIsNoAnswerAcknowledgesNothing() throws IOException {
    flight(true, 7, 8);

    says("garbage\r\n", OK);
    hears();
    instance.close();

    assertThat(lane.silent()).isFalse();
    assertThat(receipts).isEmpty();
    assertThat(lane.settled()).isFalse();
  }

  @Test
  void findsAnswersWhereverTheyAreCut() throws IOException {
    byte[] all = (OK + CHUNKED + BAD + NO_CONTENT + UNTIL_CLOSE).getBytes(ISO_8859_1);
    for (int cut = 0; cut <= all.length; cut++) {
      List<Integer> found = new ArrayList<>();
      LaneAnswers answers = new LaneAnswers(found::add);

      answers.read(ByteBuffer.wrap(all, 0, cut));
      answers.read(ByteBuffer.wrap(all, cut, all.length - cut));

      assertThat(found).as("cut at %s", cut).containsExactly(200, 201, 500, 204);
      answers.end();
      assertThat(found).containsExactly(200, 201, 500, 204, 200);
    }
  }

  @Test
  void refusesWhatLies() {
    for (String lie : List.of("HTTP/2 200 OK\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 099 No\r\n",
        "HTTP/1.1 101 Other\r\n\r\n", "HTTP/1.1 200 OK\r\nno header\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "x".repeat(70_000))) {
      assertThatThrownBy(() -> new LaneAnswers(status -> {}).read(ByteBuffer.wrap(lie.getBytes(ISO_8859_1)))).as(lie)
          .isInstanceOf(ProtocolException.class);
    }
  }
}
