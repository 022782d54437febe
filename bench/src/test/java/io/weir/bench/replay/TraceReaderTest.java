package io.weir.bench.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceReaderTest {
  @TempDir Path folder;

  private Trace read(String... lines) throws IOException {
    return TraceReader.read(Files.write(folder.resolve("trace"), java.util.List.of(lines)), 1);
  }

  @Test
  void azure2021IsReadByItsBeginnings() throws IOException {
    Trace trace = read("app,func,end_timestamp,duration", "a,f,10.5,0.5", "a,g,12,1.25", "a,f,11.5,0.1");

    assertThat(trace.calls()).extracting(Trace.Call::at).containsExactly(10_000L, 10_750L, 11_400L);
    assertThat(trace.calls()).extracting(Trace.Call::millis).containsExactly(500, 1_250, 100);
    assertThat(trace.functions()).containsExactly("f-f", "f-g");
  }

  @Test
  void azure2019CountsPerMinuteAndATimerKeepsItsSecond() throws IOException {
    String minutes = IntStream.rangeClosed(1, 1_440).mapToObj(Integer::toString)
        .collect(Collectors.joining(","));
    String counts = IntStream.rangeClosed(1, 1_440).mapToObj(m -> m % 5 == 0 ? "1" : "0")
        .collect(Collectors.joining(","));
    Trace trace = read("HashOwner,HashApp,HashFunction,Trigger," + minutes, "o,a,f,timer," + counts);

    assertThat(trace.calls()).hasSize(288);
    assertThat(trace.calls().get(1).at() - trace.calls().get(0).at()).isEqualTo(300_000);
    assertThat(trace.end()).isEqualTo(86_400_000);
  }

  @Test
  void measurementsMerlCasasAndPlainLinesAreCallsToo() throws IOException {
    assertThat(read("timestamp,value", "2013-07-04 00:00:00,69.8", "2013-07-04 01:00:00,71").calls())
        .hasSize(2);
    assertThat(read("114 1000 1500", "115 3300 3900").functions()).containsExactly("f-114", "f-115");
    assertThat(read("2010-11-04 00:03:50.209589 M003 ON", "2010-11-04 00:03:57.399391 M003 OFF").calls())
        .hasSize(1);
    assertThat(read("time,function,duration", "0.5,a,0.1", "2,b,0.2").calls()).extracting(Trace.Call::at)
        .containsExactly(500L, 2_000L);
    assertThat(read("0.5,a", "2,b").calls()).hasSize(2);
  }

  @Test
  void aTornLineIsRefusedWithItsNumber() {
    assertThatThrownBy(() -> read("app,func,end_timestamp,duration", "a,f,10.5,0.5", "a,f,11"))
        .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("line 3")
        .hasMessageContaining("torn");
    assertThatThrownBy(() -> read("time,function", "1,a", "x,a")).hasMessageContaining("line 3")
        .hasMessageContaining("torn");
    assertThatThrownBy(() -> read("time,function", "1,a", "NaN,a")).hasMessageContaining("line 3");
    assertThatThrownBy(() -> read("114 1000 1500", "115 33"))
        .satisfies(e -> assertThat(e).hasMessageContaining("line 2"));
    assertThatThrownBy(() -> read("HashOwner,HashApp,HashFunction,Trigger,1,2", "o,a,f,timer,1,2"))
        .hasMessageContaining("line 2");
  }

  @Test
  void aLineOutOfOrderIsRefusedWithItsNumber() {
    assertThatThrownBy(() -> read("time,function", "100,a", "200,a", "150,a"))
        .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("line 4")
        .hasMessageContaining("out of order");
  }

  @Test
  void anEmptyFileIsRefused() {
    assertThatThrownBy(() -> read()).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> read("time,function")).isInstanceOf(IllegalArgumentException.class);
  }
}
