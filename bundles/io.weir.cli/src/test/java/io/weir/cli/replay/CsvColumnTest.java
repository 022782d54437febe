package io.weir.cli.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CsvColumnTest {
  private static List<CsvColumn.Row> rows(String text, String column) {
    try (CsvColumn csv = new CsvColumn(new BufferedReader(new StringReader(text)), "a.csv", column)) {
      List<CsvColumn.Row> rows = new ArrayList<>();
      csv.forEachRemaining(rows::add);
      return rows;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void takesTheColumnNamedValueWithItsTime() {
    assertThat(rows("timestamp,value,unit\n2014-04-13 09:00:00,57.5,F\n", null))
        .containsExactly(new CsvColumn.Row("57.5", "2014-04-13 09:00:00"));
  }

  @Test
  void takesTheLastColumnWhereNoneIsNamedValue() {
    assertThat(rows("a,b\n1,2\n3,4\n", null)).extracting(CsvColumn.Row::value).containsExactly("2", "4");
  }

  @Test
  void takesAColumnByNameOrNumber() {
    assertThat(rows("a,b\n1,2\n", "A")).extracting(CsvColumn.Row::value).containsExactly("1");
    assertThat(rows("a,b\n1,2\n", "1")).extracting(CsvColumn.Row::value).containsExactly("1");
    assertThatThrownBy(() -> rows("a,b\n1,2\n", "c")).hasMessage("a.csv has no column 'c'; it has a, b");
    assertThatThrownBy(() -> rows("a,b\n1,2\n", "3")).hasMessageContaining("no column '3'");
  }

  @Test
  void readsAFileWithoutHeaderFromItsFirstLine() {
    assertThat(rows("1,2\n3,4\n", null)).extracting(CsvColumn.Row::value).containsExactly("2", "4");
  }

  @Test
  void readsQuotesByteOrderMarkAndBlankLines() {
    assertThat(rows("\uFEFFname,value\r\n\r\n\"a, \"\"b\"\"\nc\",\"7\"\r\n", "value")).extracting(CsvColumn.Row::value).containsExactly("7");
    assertThat(rows("name,value\n\"a, \"\"b\"\"\nc\",7\n", "name")).extracting(CsvColumn.Row::value).containsExactly("a, \"b\"\nc");
  }

  @Test
  void namesTheLineThatIsWrong() {
    assertThatThrownBy(() -> rows("a,value\n1,2\n3\n", null)).hasMessage("a.csv:3: the row has only 1 columns");
    assertThatThrownBy(() -> rows("a,value\n1,\"2\n", null)).hasMessageContaining("a quote is never closed");
    assertThatThrownBy(() -> rows("", null)).hasMessage("a.csv is empty");
  }
}
