package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import tools.jackson.jr.ob.JSON;

/**
 * A real Chromium without a window, driven as W3C WebDriver says. Everything that it writes is in a folder of its own;
 * {@link #close} ends all of its processes and fails if one is left.
 */
public final class Browser implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final List<String> OPTIONS = List.of("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
      "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--window-size=1280,900");

  private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Path folder;
  private final Process driver;
  private final URI base;
  private final List<Map<String, Object>> heard = new ArrayList<>();
  private String session = "";

  public Browser() throws Exception {
    folder = Files.createTempDirectory("weir-browser");
    int port = Gateway.freePort();
    base = URI.create("http://127.0.0.1:" + port);
    ProcessBuilder builder = new ProcessBuilder("chromedriver", "--port=" + port);
    for (String variable : List.of("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")) {
      builder.environment().put(variable, folder.toString());
    }
    driver = builder.redirectErrorStream(true).redirectOutput(folder.resolve("driver.log").toFile()).start();
    try {
      Awaitility.await("chromedriver answers").atMost(PATIENCE).until(this::answers);
      List<String> options = new ArrayList<>(OPTIONS);
      options.add("--user-data-dir=" + folder.resolve("profile"));
      session = "/session/" + map(send("POST", "/session", Map.of("capabilities", Map.of("alwaysMatch", Map.of(
          "goog:loggingPrefs", Map.of("browser", "ALL", "performance", "ALL"),
          "goog:chromeOptions", Map.of("args", options)))))).get("sessionId");
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  private boolean answers() throws InterruptedException {
    assertThat(driver.isAlive()).as("chromedriver runs").isTrue();
    try {
      return client.send(HttpRequest.newBuilder(base.resolve("/status")).timeout(PATIENCE).build(),
          BodyHandlers.ofString()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  private Object send(String method, String path, Map<String, ?> body) throws Exception {
    HttpResponse<String> answer = client.send(HttpRequest.newBuilder(base.resolve(path)).timeout(PATIENCE)
        .header("Content-Type", "application/json").method(method, method.equals("POST")
            ? BodyPublishers.ofString(JSON.std.asString(body)) : BodyPublishers.noBody()).build(), BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(method + " " + path + ": " + answer.body()).isEqualTo(200);
    return JSON.std.mapFrom(answer.body()).get("value");
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object json) {
    return (Map<String, Object>) json;
  }

  /**
   * Goes to a page, and returns once it is loaded. Chromium breaks off what it loads whenever a network interface comes or
   * goes, as it does with every container; a page whose files were broken off is loaded again, as a person would.
   */
  public void open(String url) throws Exception {
    for (int tries = 0; tries < 20; tries++) {
      send("POST", session + "/url", Map.of("url", url));
      List<Map<String, Object>> entries = log("browser");
      if (entries.stream().noneMatch(Browser::brokenOff)) {
        heard.addAll(entries);
        return;
      }
    }
    throw new AssertionError(url + " was broken off each time");
  }

  private static boolean brokenOff(Map<String, Object> entry) {
    return String.valueOf(entry.get("message")).endsWith("net::ERR_NETWORK_CHANGED");
  }

  public String url() throws Exception {
    return String.valueOf(send("GET", session + "/url", Map.of()));
  }

  /** What the body of a function in JavaScript returns, in the page that is open. */
  public Object run(String script, Object... arguments) throws Exception {
    return send("POST", session + "/execute/sync", Map.of("script", script, "args", List.of(arguments)));
  }

  /** Tells the browser itself something, as the DevTools protocol says. */
  public void command(String command, Map<String, ?> parameters) throws Exception {
    send("POST", session + "/goog/cdp/execute", Map.of("cmd", command, "params", parameters));
  }

  /** As a person does with the mouse; fails if something lies over it. */
  public void click(String selector) throws Exception {
    send("POST", element(selector) + "/click", Map.of());
  }

  /** As a person does with the keyboard. */
  public void type(String selector, String text) throws Exception {
    send("POST", element(selector) + "/value", Map.of("text", text));
  }

  private String element(String selector) throws Exception {
    Object found = send("POST", session + "/element", Map.of("using", "css selector", "value", selector));
    return session + "/element/" + map(found).values().iterator().next();
  }

  /** The text of the first element that a CSS selector finds, as a person sees it; empty if there is none. */
  public String text(String selector) throws Exception {
    return String.valueOf(run("return document.querySelector(arguments[0])?.innerText ?? ''", selector));
  }

  /** The texts of each row's cells, without what stands small below them. */
  @SuppressWarnings("unchecked")
  public List<List<String>> cells(String rows) throws Exception {
    return (List<List<String>>) run("return [...document.querySelectorAll(arguments[0])].map(row => [...row.children]"
        + ".map(cell => (cell.querySelector('strong') ?? cell).textContent))", rows);
  }

  /**
   * What it warned of, since it was asked last: failed loads, scripts' errors, violations of the page's policy. Not what
   * it broke off itself, see {@link #open}: a page has to ask again, and is not to blame.
   */
  public List<String> complaints() throws Exception {
    heard.addAll(log("browser"));
    List<String> complaints = heard.stream().filter(entry -> !List.of("INFO", "DEBUG").contains(entry.get("level")))
        .filter(entry -> !brokenOff(entry)).map(entry -> String.valueOf(entry.get("message"))).toList();
    heard.clear();
    return complaints;
  }

  /** The addresses that pages asked for, since it was asked last. */
  public List<String> requests() throws Exception {
    List<String> addresses = new ArrayList<>();
    for (Map<String, Object> entry : log("performance")) {
      Map<String, Object> message = map(JSON.std.mapFrom(String.valueOf(entry.get("message"))).get("message"));
      if ("Network.requestWillBeSent".equals(message.get("method"))) {
        addresses.add(String.valueOf(map(map(message.get("params")).get("request")).get("url")));
      }
    }
    return addresses;
  }

  @SuppressWarnings("unchecked")
  private List<Map<String, Object>> log(String type) throws Exception {
    return (List<Map<String, Object>>) send("POST", session + "/se/log", Map.of("type", type));
  }

  @Override
  public void close() throws Exception {
    List<ProcessHandle> ours = Stream.concat(driver.descendants(), Stream.of(driver.toHandle())).toList();
    try {
      if (!session.isEmpty()) {
        send("DELETE", session, Map.of());
      }
    } finally {
      driver.destroy();
      if (!driver.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        driver.destroyForcibly().waitFor();
      }
      ours.forEach(ProcessHandle::destroyForcibly);
      Awaitility.await("the browser's processes have ended").atMost(PATIENCE)
          .until(() -> ours.stream().noneMatch(ProcessHandle::isAlive));
      Gateway.deleteTree(folder);
    }
  }
}
