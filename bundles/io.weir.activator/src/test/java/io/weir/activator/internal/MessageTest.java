package io.weir.activator.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageTest {
  /** Feeds it whole and byte by byte, which must come to the same, and returns what belongs to it. */
  private static int length(Message whole, Message piecemeal, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    int length = whole.feed(bytes, 0, bytes.length);
    int at = 0;
    while (at < bytes.length && piecemeal.feed(bytes, at, at + 1) > at) {
      at++;
    }
    assertThat(at).isEqualTo(length);
    assertThat(piecemeal.isDone()).isEqualTo(whole.isDone());
    assertThat(piecemeal.isOpaque()).isEqualTo(whole.isOpaque());
    assertThat(piecemeal.headBytes()).isEqualTo(whole.headBytes());
    return length;
  }

  private static Message request(String text, String rest) {
    Message message = Message.request();
    assertThat(length(message, Message.request(), text + rest)).isEqualTo(text.length());
    return message;
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "\r\nGET / HTTP/1.1\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: r\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "X-Y / HTTP/1.0\r\nCONTENT-LENGTH :2\r\n\r\nab"})
  void knowsWhereARequestEnds(String text) {
    Message message = request(text, "GET /next HTTP/1.1\r\n\r\n");
    assertThat(message.isDone()).isTrue();
    assertThat(message.headDone()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u0016\u0003\u0001", " GET / HTTP/1.1\r\n", "GET /\r\n",
      "NOBODYHASAMETHODOFSUCHLENGTH / HTTP/1.1", "CONNECT a:1 HTTP/1.1\r\n\r\nx", "GE\u00e9 / HTTP/1.1",
      "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nx", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
      "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nx", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"})
  void leavesWhatItDoesNotUnderstandToTheServer(String text) {
    assertThat(request(text + "whatever\r\n\r\n", "").isOpaque()).isTrue();
  }

  private static Message answer(String request, String text, String rest) {
    Message asked = request(request, "");
    Message message = Message.answerTo(asked);
    assertThat(length(message, Message.answerTo(asked), text + rest)).isEqualTo(text.length());
    return message;
  }

  @Test
  void knowsWhereAnAnswerEnds() {
    String get = "GET / HTTP/1.1\r\n\r\n";
    String head = "HEAD / HTTP/1.1\r\n\r\n";
    assertThat(answer(get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "x").isDone()).isTrue();
    assertThat(answer(head, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "x").isDone()).isTrue();
    assertThat(answer(get, "HTTP/1.1 204 No Content\r\n\r\n", "x").isDone()).isTrue();
    assertThat(answer(get, "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "x").isDone()).isTrue();
    assertThat(answer(get, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "x")
        .status()).isEqualTo(200);
    assertThat(answer(get, "HTTP/1.1 200 OK\r\n\r\nto the end", "").endsWithConnection()).isTrue();
    assertThat(answer(get, "HTTP/1.1 101 Switching Protocols\r\n\r\nwhatever", "").isOpaque()).isTrue();
    assertThat(answer(get, "ICY 200 OK\r\n\r\nwhatever", "").isOpaque()).isTrue();
  }

  @Test
  void knowsWhetherTheConnectionEndsWithIt() {
    assertThat(request("GET / HTTP/1.1\r\n\r\n", "").closes()).isFalse();
    assertThat(request("GET / HTTP/1.1\r\nconnection: x , Close\r\n\r\n", "").closes()).isTrue();
    assertThat(request("GET / HTTP/1.0\r\n\r\n", "").closes()).isTrue();
    assertThat(request("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "").closes()).isFalse();
    assertThat(answer("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "").closes()).isTrue();
  }

  @Test
  void putsItsOwnWordAboutTheConnectionIntoAHead() {
    assertThat(closing("GET / HTTP/1.1\r\nHost: x\r\n\r\n")).isEqualTo("GET / HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n");
    assertThat(closing("\r\nGET / HTTP/1.1\nCONNECTION : Keep-Alive,\n\t TE\nTE: trailers\nConnection-Id: 1\nkeep-alive: 5\n\n"))
        .isEqualTo("\r\nGET / HTTP/1.1\nConnection: close\r\nTE: trailers\nConnection-Id: 1\n\n");
    assertThat(closing("GET / HTTP/1.1\r\nConnection: TE, close\r\n\r\n"))
        .isEqualTo("GET / HTTP/1.1\r\nConnection: close, te\r\n\r\n");
  }

  private static String closing(String head) {
    return new String(request(head, "").closing(head.getBytes(StandardCharsets.ISO_8859_1)), StandardCharsets.ISO_8859_1);
  }
}
