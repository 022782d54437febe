package io.weir.activator.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.weir.function.FunctionName;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PortBookTest {
  private static final FunctionName A = new FunctionName("a");
  private static final FunctionName B = new FunctionName("b");

  @TempDir Path folder;

  @Test
  void writesManyChangesAtOnceAndNothingThatIsTheSame() throws Exception {
    Path file = folder.resolve("ports");
    PortBook book = new PortBook(file);
    book.keep(A, 20000);
    book.keep(B, 20001);
    assertThat(file).doesNotExist();

    book.save();
    assertThat(Files.readString(file)).isEqualTo("a 20000\nb 20001\n");

    Files.delete(file);
    book.keep(A, 20000);
    book.save();
    assertThat(file).doesNotExist();
  }

  @Test
  void aPortIsFreeAgainWhenItsFunctionMovedOrIsForgotten() {
    PortBook book = new PortBook(folder.resolve("ports"));
    book.keep(A, 20000);

    book.keep(A, 20001);
    assertThat(book.owner(20000)).isEmpty();
    assertThat(book.owner(20001)).contains(A);

    book.keep(B, 20001);   // whoever had it before is not in the way of his memory of it
    book.forget(A);
    assertThat(book.owner(20001)).contains(B);
  }
}
