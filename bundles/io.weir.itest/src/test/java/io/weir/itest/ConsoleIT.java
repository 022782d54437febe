package io.weir.itest;

import static io.weir.itest.Lab.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a person sees in a real browser, and can do there. */
class ConsoleIT {
  private static final String HOSTILE =
      "no <img src=x onerror=\"window.pwned=1;document.title='pwned'\"> in <script>window.pwned=2</script>";
  private static Lab lab;
  private static Browser browser;

  @BeforeAll
  static void start() throws Exception {
    lab = new Lab("console", Map.of());
    browser = new Browser();
  }

  @AfterAll
  static void stop() throws Exception {
    try {
      if (browser != null) {
        browser.close();
      }
    } finally {
      lab.close();
    }
  }

  @BeforeEach
  void forgetWhatOtherTestsDid() throws Exception {
    browser.open("about:blank");
    browser.command("Network.setBlockedURLs", Map.of("urls", List.of()));
    browser.complaints();
    browser.requests();
  }

  private static String origin() {
    return "http://127.0.0.1:" + lab.gateway.httpPort;
  }

  /** Opens the page, and marks it so that a reload would show. */
  private static void open() throws Exception {
    browser.open(origin() + "/");
    browser.run("window.opened = true");
  }

  private static void assertNoReload() throws Exception {
    assertThat(browser.run("return window.opened === true")).isEqualTo(true);
  }

  private static void assertNoComplaints() throws Exception {
    assertThat(browser.complaints()).as("the browser's log").isEmpty();
  }

  private static void eventually(String what, Callable<Boolean> condition) {
    await(what).atMost(SOON).until(condition);
  }

  private static void eventually(ThrowingRunnable assertion) {
    await().atMost(SOON).untilAsserted(assertion);
  }

  private static void awaitReady() {
    eventually(() -> assertThat(browser.text("#state")).isEqualTo("ready"));
  }

  private static String row(String function) {
    return "[data-function=\"" + function + "\"]";
  }

  /** Nth cell of its row, from one. */
  private static String cell(String function, int column) throws Exception {
    return browser.text(row(function) + " > tr > td:nth-child(" + column + ")");
  }

  private static void expand(String function) throws Exception {
    eventually(function + " is shown", () -> !browser.text(row(function)).isEmpty());
    browser.click(row(function) + " button.name");
  }

  private static void press(String function, String label) throws Exception {
    browser.run("const all = [...document.querySelectorAll(arguments[0])]; for (const each of all) each.classList.toggle("
        + "'pressed', each.textContent === arguments[1])", row(function) + " .actions button", label);
    browser.click(row(function) + " .pressed");
  }

  @Test
  void theRootShowsTheGatewayAndItsPartsAndLoadsNothingFromElsewhere() throws Exception {
    open();

    awaitReady();
    assertThat(browser.url()).isEqualTo(origin() + "/console/");
    assertThat(browser.cells("#parts tr").stream().map(cells -> cells.get(0) + " " + cells.get(1)))
        .containsExactlyElementsOf(lab.gateway.list("/api/v1/status", "parts").stream().map(part ->
            part.get("name") + " " + (part.get("ready").equals(true) ? "yes" : "no")).toList());
    assertThat(browser.requests()).isNotEmpty().allMatch(address -> address.startsWith(origin() + "/")
        || address.equals("about:blank"));
    assertNoComplaints();
  }

  @Test
  void aFunctionThatIsDeployedAndCalledIsSeenDoingSoWithoutAReload() throws Exception {
    open();
    awaitReady();

    int port = lab.deploy("seen");
    eventually(() -> assertThat(cell("seen", 2)).isEqualTo("asleep"));
    assertThat(cell("seen", 1)).contains("seen", "localhost/probe:1");
    assertThat(cell("seen", 3)).contains("127.0.0.1:" + port);

    for (int i = 0; i < 3; i++) {
      lab.gateway.post("/function/seen/status/" + (i == 0 ? 404 : 200), "x");
    }
    eventually(() -> assertThat(cell("seen", 2)).isEqualTo("ready"));
    eventually("its requests are counted", () -> cell("seen", 4).contains(lab.metered("seen", "requests") + " in all"));
    eventually("its answers are counted", () -> cell("seen", 5).contains("4xx 1") && cell("seen", 5).contains("2xx 2"));
    eventually("its events are shown", () -> browser.cells("#log tr").stream().anyMatch(cells -> cells.get(1).equals("replied")
        && cells.get(2).equals("seen") && cells.get(3).contains("http /function/seen/status/200")));
    assertNoReload();
    assertNoComplaints();
  }

  @Test
  void anInstanceChangesAsItsEventsSayWithoutBeingAskedFor() throws Exception {
    lab.deploy("told", "rest: frozen");
    lab.gateway.rest("told", "frozen");
    open();
    eventually(() -> assertThat(cell("told", 2)).isEqualTo("frozen"));
    browser.command("Network.enable", Map.of());
    browser.command("Network.setBlockedURLs", Map.of("urls", List.of("*/api/v1/instances*", "*/api/v1/functions*")));

    lab.gateway.post("/function/told/", "wake");

    eventually(() -> assertThat(cell("told", 2)).isEqualTo("ready"));
    eventually(() -> assertThat(browser.text("#link")).contains("Part of the gateway does not answer since"));
    assertNoReload();
  }

  @Test
  void theKernelsReportIsWhatTheGatewaySays() throws Exception {
    open();

    eventually(() -> {
      Map<String, Object> report = lab.gateway.json("/api/v1/kernel");
      assertThat(browser.cells("#features tr")).isNotEmpty().isEqualTo(lab.gateway.list("/api/v1/kernel", "features")
          .stream().map(feature -> List.of(feature.get("name"), feature.get("active").equals(true) ? "yes" : "no",
              feature.get("how"), feature.get("why"))).toList());
      assertThat(browser.cells("#notes div")).isEqualTo(((Map<?, ?>) report.get("notes")).entrySet().stream().map(note ->
          List.of(note.getKey(), note.getValue().toString())).toList());
      assertThat(browser.text("#release")).isEqualTo(report.get("kernel"));
    });
    assertNoComplaints();
  }

  @Test
  void lastWordsOfAnInstanceAreTextWhateverTheySay() throws Exception {
    lab.declare("hostile", "env:", "  BEHAVE: crash", "  WORDS: '" + HOSTILE.replace("'", "''") + "'");
    open();
    expand("hostile");

    eventually("its last words are shown", () -> {
      lab.gateway.post("/function/hostile/", "x");
      return browser.text(row("hostile") + " .detail pre").contains(HOSTILE);
    });
    eventually("they are an event as well", () -> browser.cells("#log tr").stream().anyMatch(cells ->
        cells.get(1).equals("start-failed") && cells.get(3).contains(HOSTILE)));
    assertThat(cell("hostile", 9)).isNotEmpty();
    assertThat(browser.run("return window.pwned ?? document.querySelectorAll('main img, main script').length"))
        .as("what was made of it").isEqualTo(0);
    assertThat(browser.run("return document.title").toString()).doesNotContain("pwned");
    assertThat(browser.requests()).noneMatch(address -> address.endsWith("/x"));
    assertNoComplaints();
  }

  @Test
  void aFunctionIsInvokedPutToRestAndDeletedOnlyIfThatIsMeant() throws Exception {
    lab.deploy("handled");
    open();
    expand("handled");

    browser.type(row("handled") + " textarea", "{\"a\": \"<b>1</b>\"}");
    press("handled", "Invoke");
    eventually(() -> assertThat(browser.text(row("handled") + " output")).contains("answered 200"));
    assertThat(browser.text(row("handled") + " .detail pre:last-child")).isEqualTo("{\"a\": \"<b>1</b>\"}");

    browser.run("document.querySelector(arguments[0]).value = 'created'", row("handled") + " select");
    press("handled", "Rest");
    eventually(() -> assertThat(browser.text(row("handled") + " output")).isEqualTo("rests at created"));
    assertThat(lab.gateway.instancesOf("handled")).extracting(instance -> instance.get("state")).containsExactly("created");

    press("handled", "Delete …");
    browser.click("#confirm button[value=no]");
    eventually(() -> assertThat(browser.text(row("handled") + " output")).isEqualTo("kept"));
    assertThat(lab.gateway.get("/api/v1/functions/handled").statusCode()).isEqualTo(200);

    press("handled", "Delete …");
    browser.click("#confirm button[value=yes]");
    eventually("it is gone", () -> browser.text(row("handled")).isEmpty());
    assertThat(lab.gateway.get("/api/v1/functions/handled").statusCode()).isEqualTo(404);
    assertNoComplaints();
  }

  @Test
  void aPageThatNobodySeesAsksForNothingUntilItIsSeenAgain() throws Exception {
    open();
    awaitReady();

    hide(true);
    eventually("what it had asked for has come", () -> asked().findAny().isEmpty());
    long then = uptime();
    eventually("time passes", () -> uptime() >= then + 6);
    assertThat(asked()).as("asked for by a hidden page").isEmpty();

    hide(false);
    eventually("it asks again", () -> asked().anyMatch(address -> address.contains("/events")));
    assertNoComplaints();
  }

  private static void hide(boolean hidden) throws Exception {
    browser.run("Object.defineProperty(document, 'hidden', {configurable: true, get: () => " + hidden + "});"
        + "document.dispatchEvent(new Event('visibilitychange'))");
  }

  private static Stream<String> asked() throws Exception {
    return browser.requests().stream().filter(address -> address.contains("/api/"));
  }

  private static long uptime() {
    return ((Number) lab.gateway.json("/api/v1/status").get("uptimeSeconds")).longValue();
  }

  @Test
  void aLostGatewayIsSaidToBeLostAndFoundAgain() throws Exception {
    open();
    awaitReady();

    lab.gateway.stop();
    eventually(() -> assertThat(browser.text("#link")).matches(
        "(?s)Connection to the gateway lost since \\d\\d:\\d\\d:\\d\\d\\..*"));
    assertThat(browser.text("#state")).isEqualTo("not connected");

    lab.gateway.startAgain();
    eventually("nothing is said to be lost", () -> browser.text("#link").isEmpty() && browser.text("#state").equals("ready"));
    lab.deploy("after");
    eventually("events come again", () -> browser.cells("#log tr").stream().anyMatch(cells ->
        cells.get(1).equals("added") && cells.get(2).equals("after")));
    assertNoReload();
  }
}
