package io.weir.runner.internal;

import io.weir.function.Language;
import io.weir.function.Source;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The program of a runner as a process of this machine. */
final class RunnerProcess implements AutoCloseable {
  static final Duration SOON = Duration.ofSeconds(30);

  final InetSocketAddress address;
  final Process process;
  private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
  private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(SOON).build();

  /** @param folder where the program is unpacked, and compiled if its language needs that */
  RunnerProcess(Language language, Path folder) throws Exception {
    address = new InetSocketAddress(InetAddress.getLoopbackAddress(), freePort());
    ProcessBuilder builder = new ProcessBuilder(command(language, unpacked(language, folder))).redirectErrorStream(true);
    builder.environment().put("PORT", Integer.toString(address.getPort()));
    process = builder.start();
    Thread reader = new Thread(this::read);
    reader.setDaemon(true);
    reader.start();
    if (!Listening.await(address, SOON, () -> { })) {
      close();
      throw new AssertionError("does not listen; it said " + said);
    }
  }

  private void read() {
    try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      lines.lines().forEach(said::add);
    } catch (IOException | UncheckedIOException e) {
      said.add("(ended)");
    }
  }

  private static Path unpacked(Language language, Path folder) throws Exception {
    for (Map.Entry<String, byte[]> file : Program.of(language).files().entrySet()) {
      Path path = folder.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.write(path, file.getValue());
    }
    if (language == Language.JAVA && Files.notExists(folder.resolve("weir/Runner.class"))) {
      List<String> javac = new ArrayList<>(List.of("javac", "--release", "17", "-Xlint:all", "-Werror", "-d", folder.toString()));
      Program.of(language).files().keySet().forEach(file -> javac.add(folder.resolve(file).toString()));
      Process compiler = new ProcessBuilder(javac).redirectErrorStream(true).start();
      String words = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (compiler.waitFor() != 0) {
        throw new AssertionError(words);
      }
    }
    return folder;
  }

  private static List<String> command(Language language, Path folder) {
    return switch (language) {
      case PYTHON -> List.of("python3", "-B", "-s", "-S", folder.resolve("runner.py").toString());
      case NODE -> List.of("node", folder.resolve("runner.js").toString());
      case JAVA -> {
        List<String> command = new ArrayList<>(Program.JAVA);
        command.set(0, "java");
        command.addAll(List.of("-Xmx64m", "-cp", folder.toString(), "weir.Runner"));
        yield command;
      }
    };
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  Optional<String> load(Source.Handler handler, Map<String, String> environment) throws IOException {
    return RunnerClient.load(address, handler, environment, SOON);
  }

  Optional<String> check(Source.Handler handler) throws IOException {
    return RunnerClient.check(address, handler, SOON);
  }

  HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + address.getPort() + path)).timeout(SOON);
  }

  HttpResponse<String> get(String path) throws Exception {
    return http.send(to(path).build(), BodyHandlers.ofString());
  }

  HttpResponse<String> post(String path, String body, String... headers) throws Exception {
    HttpRequest.Builder request = to(path).POST(BodyPublishers.ofString(body));
    return http.send((headers.length == 0 ? request : request.headers(headers)).build(), BodyHandlers.ofString());
  }

  /** A body of unknown length, which the client sends in chunks. */
  HttpResponse<String> postInChunks(String path, InputStream body) throws Exception {
    return http.send(to(path).POST(BodyPublishers.ofInputStream(() -> body)).build(), BodyHandlers.ofString());
  }

  HttpClient http() {
    return http;
  }

  /** The next line of its log. */
  String nextLine() throws InterruptedException {
    String line = said.poll(SOON.toSeconds(), TimeUnit.SECONDS);
    if (line == null) {
      throw new AssertionError("it says nothing");
    }
    return line;
  }

  /** What it wrote and nobody asked for yet. */
  List<String> saidMore() {
    return List.copyOf(said);
  }

  @Override
  public void close() throws Exception {
    process.destroyForcibly();
    process.waitFor();
  }
}
