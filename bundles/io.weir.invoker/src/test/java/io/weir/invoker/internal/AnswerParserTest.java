package io.weir.invoker.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.invocation.Header;
import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerParserTest {
  private static final int MAX_BODY = 1000;

  /** What was read, and how many bytes of the input belong to something else. */
  private record Read(int status, String body, List<Header> headers, boolean keepAlive, int rest) {}

  @ParameterizedTest
  @ValueSource(strings = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
      "HTTP/1.1 200\nContent-Length: 5\n\nhello",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n002 \r\nlo\r\n0\r\nTrailer: t\r\n\r\n",
      "HTTP/1.1 500 \r\ncontent-length:3\r\nConnection: close\r\n\r\nbad"})
  void anAnswerIsTheSameWhereverItIsSplit(String answer) throws IOException {
    byte[] bytes = answer.getBytes(ISO_8859_1);
    Read whole = read(List.of(bytes), false);

    for (int first = 0; first <= bytes.length; first++) {
      for (int second = first; second <= bytes.length; second++) {
        assertThat(read(split(bytes, first, second), false)).isEqualTo(whole);
      }
    }
    assertThat(whole.rest()).isZero();
  }

  @Test
  void readsStatusHeadersAndBody() throws IOException {
    Read read = read("HTTP/1.1 200 Fine, thanks\r\nX-Empty:\r\nX-Umlaut:  \u00c3\u00a4 \r\nKeep-Alive: timeout=5\r\n"
        + "Content-Length: 5\r\n\r\nhello");

    assertThat(read).isEqualTo(new Read(200, "hello", List.of(new Header("X-Empty", ""), new Header("X-Umlaut", "ä"),
        new Header("Content-Length", "5")), true, 0));
  }

  @Test
  void whatComesAfterAnAnswerIsNotPartOfIt() throws IOException {
    assertThat(read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc").rest()).isEqualTo(2);
    assertThat(read("HTTP/1.1 204 OK\r\n\r\nabc").rest()).isEqualTo(3);
  }

  @Test
  void anAnswerToHeadHasNoBody() throws IOException {
    AnswerParser parser = new AnswerParser(MAX_BODY);
    parser.begin("HEAD");
    byte[] bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n".getBytes(ISO_8859_1);

    assertThat(parser.feed(bytes, 0, bytes.length)).isEqualTo(bytes.length);
    assertThat(parser.done()).isTrue();
    assertThat(parser.body()).isEmpty();
  }

  @Test
  void aConnectionIsUsedAgainOnlyIfBothSidesKnowWhereTheAnswerEnds() throws IOException {
    assertThat(read("HTTP/1.1 204 OK\r\n\r\n").keepAlive()).isTrue();
    assertThat(read("HTTP/1.0 204 OK\r\n\r\n").keepAlive()).isFalse();
    assertThat(read("HTTP/1.0 204 OK\r\nConnection: Keep-Alive\r\n\r\n").keepAlive()).isTrue();
    assertThat(read("HTTP/1.1 204 OK\r\nConnection: x, Close\r\n\r\n").keepAlive()).isFalse();
    assertThat(read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
        .keepAlive()).isFalse();
  }

  @Test
  void anAnswerWithoutALengthEndsWithTheConnection() throws IOException {
    AnswerParser parser = new AnswerParser(MAX_BODY);
    parser.begin("GET");
    byte[] bytes = "HTTP/1.1 200 OK\r\n\r\nhello".getBytes(ISO_8859_1);
    parser.feed(bytes, 0, bytes.length);
    assertThat(parser.done()).isFalse();

    parser.end();

    assertThat(parser.done()).isTrue();
    assertThat(parser.body()).asString().isEqualTo("hello");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"})
  void anAnswerThatEndsEarlyIsNone(String answer) {
    assertThatThrownBy(() -> {
      AnswerParser parser = new AnswerParser(MAX_BODY);
      parser.begin("GET");
      parser.feed(answer.getBytes(ISO_8859_1), 0, answer.length());
      parser.end();
    }).isInstanceOf(EOFException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n",
      "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.x 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: no name\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\u0000c\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "HTTP/1.1 204 OK\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1111111111111111\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"})
  void whatIsNoAnswerIsRefused(String answer) {
    assertThatThrownBy(() -> read(answer)).isInstanceOf(ProtocolException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Content-Length: 1001\r\n\r\n", "Content-Length: 999999999999\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n3e8\r\n",
      "Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n"})
  void anAnswerThatSaysItIsTooLargeIsNotWaitedFor(String rest) {
    assertThatThrownBy(() -> read("HTTP/1.1 200 OK\r\n" + rest)).isInstanceOf(AnswerParser.TooLarge.class);
  }

  @Test
  void anAnswerWithoutALengthMayNotBeTooLargeEither() throws IOException {
    AnswerParser parser = new AnswerParser(MAX_BODY);
    parser.begin("GET");
    byte[] head = "HTTP/1.0 200 OK\r\n\r\n".getBytes(ISO_8859_1);
    parser.feed(head, 0, head.length);
    parser.feed(new byte[MAX_BODY], 0, MAX_BODY);

    assertThatThrownBy(() -> parser.feed(new byte[1], 0, 1)).isInstanceOf(AnswerParser.TooLarge.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"HTTP/1.1 200 OK\r\nA: ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: "})
  void aLineWithoutEndIsRefusedBeforeItFillsTheMemory(String begin) {
    assertThatThrownBy(() -> read(begin + "x".repeat(AnswerParser.MAX_HEAD))).isInstanceOf(ProtocolException.class);
  }

  @Test
  void headsThatNeverBecomeAnAnswerAreRefused() {
    assertThatThrownBy(() -> read("HTTP/1.1 100 Continue\r\n\r\n".repeat(AnswerParser.MAX_HEAD / 20)))
        .isInstanceOf(ProtocolException.class);
    assertThatThrownBy(() -> read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        + "A: b\r\n".repeat(AnswerParser.MAX_HEAD / 5))).isInstanceOf(ProtocolException.class);
  }

  @Property
  void chunksAddUpHoweverTheyAreCutAndSent(@ForAll("texts") List<String> chunks, @ForAll long seed) throws IOException {
    StringBuilder answer = new StringBuilder("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    chunks.forEach(chunk -> answer.append(Integer.toHexString(chunk.length())).append("\r\n").append(chunk).append("\r\n"));
    answer.append("0\r\n\r\n");

    Read read = read(randomly(answer.toString().getBytes(ISO_8859_1), new Random(seed)), false);

    assertThat(read.body()).isEqualTo(String.join("", chunks));
    assertThat(read.keepAlive()).isTrue();
  }

  @Property
  void rubbishEndsInNothingButAnIOException(@ForAll("rubbish") String text, @ForAll long seed) {
    try {
      read(randomly(text.getBytes(ISO_8859_1), new Random(seed)), true);
    } catch (IOException e) {
      assertThat(e).hasMessageNotContaining("null");
    }
  }

  @Property
  void aParserServesOneAnswerAfterTheOther(@ForAll @Size(max = 6) List<@net.jqwik.api.From("text") String> bodies)
      throws IOException {
    AnswerParser parser = new AnswerParser(MAX_BODY);
    for (String body : bodies) {
      parser.begin("POST");
      byte[] bytes = ("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body).getBytes(ISO_8859_1);
      assertThat(parser.feed(bytes, 0, bytes.length)).isEqualTo(bytes.length);
      assertThat(new String(parser.body(), ISO_8859_1)).isEqualTo(body);
    }
  }

  @Provide
  Arbitrary<String> text() {
    return Arbitraries.strings().withCharRange('\0', '\u00ff').ofMinLength(1).ofMaxLength(60);
  }

  @Provide
  Arbitrary<List<String>> texts() {
    return text().list().ofMaxSize(12);
  }

  /** Pieces of answers in any order, so that every part of the parser sees what it does not expect. */
  @Provide
  Arbitrary<String> rubbish() {
    Arbitrary<String> piece = Arbitraries.oneOf(Arbitraries.of("HTTP/1.1 ", "200", " OK", "\r\n", "\n", "\r", ":", "a", "0",
        "1", "f", ";", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "\r\n\r\n",
        "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 X\r\n\r\n", "\u00e4", "\0"), text());
    return Combinators.combine(Arbitraries.of("", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        piece.list().ofMaxSize(30)).as((begin, rest) -> begin + String.join("", rest));
  }

  private static Read read(String answer) throws IOException {
    return read(List.of(answer.getBytes(ISO_8859_1)), true);
  }

  private static Read read(List<byte[]> pieces, boolean thenClosed) throws IOException {
    AnswerParser parser = new AnswerParser(MAX_BODY);
    parser.begin("GET");
    int rest = 0;
    for (byte[] piece : pieces) {
      rest += piece.length - parser.feed(piece, 0, piece.length);
    }
    if (thenClosed) {
      parser.end();
    }
    assertThat(parser.done()).isTrue();
    return new Read(parser.head().status, new String(parser.body(), parser.head().status == 200 ? ISO_8859_1 : UTF_8),
        parser.head().headers, parser.head().keepAlive, rest);
  }

  private static List<byte[]> split(byte[] bytes, int first, int second) {
    return List.of(java.util.Arrays.copyOfRange(bytes, 0, first), java.util.Arrays.copyOfRange(bytes, first, second),
        java.util.Arrays.copyOfRange(bytes, second, bytes.length));
  }

  private static List<byte[]> randomly(byte[] bytes, Random random) {
    List<byte[]> pieces = new ArrayList<>();
    for (int at = 0; at < bytes.length; ) {
      int to = Math.min(bytes.length, at + 1 + random.nextInt(12));
      pieces.add(java.util.Arrays.copyOfRange(bytes, at, to));
      at = to;
    }
    return pieces;
  }
}
