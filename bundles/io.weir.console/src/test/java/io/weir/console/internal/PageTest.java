package io.weir.console.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the files of the page are, and what must not be in them. */
class PageTest {
  private static final int BUDGET = 60_000;
  private static final Path FOLDER = Path.of("src/main/resources/io/weir/console/internal/page");
  private final Page page = new Page();

  private String text(String name) {
    return new String(page.file(name).orElseThrow().bytes(), StandardCharsets.UTF_8);
  }

  private List<String> scripts() {
    return Page.FILES.stream().filter(name -> name.endsWith(".js")).toList();
  }

  private static Set<String> found(String pattern, String text) {
    return new TreeSet<>(Pattern.compile(pattern).matcher(text).results().map((MatchResult r) -> r.group(1)).toList());
  }

  @Test
  void servesEveryFileThatIsThereAndNoOther() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      assertThat(Page.FILES).containsExactlyInAnyOrderElementsOf(files.map(file -> file.getFileName().toString()).toList());
    }
    assertThat(page.file("../Page.class")).isEmpty();
    assertThat(page.file("./index.html")).isEmpty();
  }

  @Test
  void isSmall() {
    assertThat(Page.FILES.stream().mapToInt(name -> page.file(name).orElseThrow().bytes().length).sum())
        .as("bytes of all files together").isLessThan(BUDGET);
  }

  @Test
  void nothingRefersToAFileThatIsMissing() {
    Set<String> wanted = found("(?:src|href)=\"([^\"#]+)\"", text("index.html"));
    wanted.removeIf(address -> address.startsWith("../api/"));
    for (String script : scripts()) {
      wanted.addAll(found("from '\\./([^']+)'", text(script)));
    }
    assertThat(Page.FILES).containsAll(wanted);
    assertThat(wanted).as("files that something refers to").containsAll(
        Page.FILES.stream().filter(name -> !name.equals("index.html")).toList());
  }

  @Test
  void everyElementThatAScriptNamesIsInThePage() {
    Set<String> there = found("\\bid=\"([^\"]+)\"", text("index.html"));
    for (String script : scripts()) {
      assertThat(there).as("named in " + script).containsAll(found("byId\\('([^']+)'\\)", text(script)));
    }
  }

  @Test
  void nothingIsLoadedFromElsewhere() {
    for (String name : Page.FILES) {
      String text = text(name).replace("http://www.w3.org/2000/svg", "");
      assertThat(text).as(name).doesNotContainPattern("https?://|[\"'(]//|@import|url\\(");
    }
  }

  @Test
  void scriptsAndStylesAreFilesOnly() {
    String html = text("index.html");

    assertThat(html).doesNotContainPattern("(?i)<style|\\bstyle=|\\bon[a-z]+\\s*=|javascript:");
    assertThat(found("<script([^>]*)>", html)).allMatch(attributes -> attributes.contains("src="));
    assertThat(html).doesNotContainPattern("<script[^>]*>\\s*[^<\\s]");
  }

  /** The policy forbids it as well; this says it where it is written. */
  @Test
  void noScriptMakesMarkupOrProgramsOfTexts() {
    for (String script : scripts()) {
      assertThat(text(script)).as(script).doesNotContainPattern(
          "innerHTML|outerHTML|insertAdjacentHTML|document\\.write|\\beval\\b|new Function\\(|DOMParser|srcdoc"
              + "|createContextualFragment|setAttribute\\('(on|style|href|src)");
    }
  }

  @Test
  void everyTableHasNamesAndHeadsForThoseWhoHearIt() {
    String html = text("index.html");

    assertThat(found("(<table[^>]*>)", html)).isNotEmpty().allMatch(table -> table.contains("aria-label"));
    assertThat(found("(<th\\b[^>]*>)", html)).isNotEmpty().allMatch(head -> head.contains("scope="));
    assertThat(found("<(?:input|select) id=\"([^\"]+)\"", html))
        .isEqualTo(found("<label class=\"unseen\" for=\"([^\"]+)\"", html));
    assertThat(html).contains("role=\"status\"").contains("role=\"alert\"").contains("lang=\"en\"").contains("<noscript>");
  }
}
