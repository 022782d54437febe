package io.weir.cli.image;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Progress;
import io.weir.cli.ui.Terminal;
import io.weir.weirpkg.ImageArchive;
import io.weir.weirpkg.PackageFault;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Images in the gateway's store: made from a folder, loaded, pulled, asked for. */
public final class Images {
  /** A first segment is a host only if it looks like one; everything after it is lower case. */
  private static final String REGISTRY = "(?:localhost|[a-zA-Z0-9-]+(?:\\.[a-zA-Z0-9-]+)+|[a-zA-Z0-9-]+(?=:))(?::\\d{1,5})?/";
  private static final Pattern REFERENCE = Pattern.compile("(?:" + REGISTRY
      + ")?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::\\w[\\w.-]{0,127})?(?:@sha256:[a-f0-9]{64})?");
  private static final Set<String> NOT_SHIPPED = Set.of(".git", "__pycache__", "weir.yaml", "Containerfile", "Dockerfile",
      ".containerignore", ".dockerignore");
  private static final int LAST_WORDS = 12;
  private static final String TAR = "application/x-tar";

  private final Gateway gateway;
  private final Terminal terminal;
  private final Host host;
  private final Path cache;

  public Images(Gateway gateway, Terminal terminal, Host host, Path cache) {
    this.gateway = gateway;
    this.terminal = terminal;
    this.host = host;
    this.cache = cache;
  }

  public static Path cacheFolder(Map<String, String> env) {
    String chosen = env.get("WEIR_CACHE");
    return chosen != null ? Path.of(chosen) : Path.of(env.getOrDefault("HOME", "/root"), ".cache", "weir");
  }

  /** @throws IllegalArgumentException if it names no image */
  public static String requireReference(String reference) {
    if (reference.length() > 255 || !REFERENCE.matcher(reference).matches()) {
      throw new IllegalArgumentException("'" + reference + "' names no image; write for example localhost/weir/my-function:1");
    }
    return reference;
  }

  /** The name an image gets when none is chosen. */
  public static String defaultReference(Path folder) {
    Path name = folder.toAbsolutePath().normalize().getFileName();
    String word = (name == null ? "" : name.toString()).toLowerCase(Locale.ROOT)
        .replaceAll("[^a-z0-9]+", "-").replaceAll("^-+|-+$", "");
    return "localhost/weir/" + (word.isEmpty() ? "function" : word) + ":1";
  }

  public boolean exists(String reference) {
    return exists(gateway, reference);
  }

  private static boolean exists(Gateway gateway, String reference) {
    return Json.flag(gateway.get("/images?reference=" + Gateway.encode(reference)), "present");
  }

  /** Whether a gateway has what the handlers of a language run on. */
  public static boolean hasRuntime(Gateway gateway, String language) {
    return exists(gateway, Runtime.current(language));
  }

  /** Builds a function written for one of the runtimes. */
  public void build(Runtime runtime, Path folder, String reference, boolean fresh) {
    requireFolder(folder);
    inWorkFolder(work -> {
      if (runtime == Runtime.STATIC) {
        importProgram(Sources.program(folder, work), reference, work);
        return;
      }
      requireSource(runtime, folder);
      if (runtime == Runtime.PYTHON && Files.isRegularFile(folder.resolve("requirements.txt")) && containerfile(folder).isEmpty()) {
        terminal.note("note: requirements.txt is not installed; put the packages beside main.py with: pip install --target "
            + folder + " -r " + folder.resolve("requirements.txt"));
      }
      String base = ensureRuntime(runtime, fresh);
      Optional<Path> own = containerfile(folder);
      Path context = work.resolve("context.tar");
      if (own.isPresent()) {
        String text = Files.readString(own.get()).replace(Containerfiles.RUNTIME, base);
        context(context, text, tar -> tar.tree(folder, "", Images::shipped));
      } else if (runtime == Runtime.JAVA) {
        javaContext(folder, context, base, work);
      } else {
        String text = runtime == Runtime.PYTHON ? Containerfiles.python(base) : Containerfiles.node(base);
        context(context, text, tar -> {
          tar.folder("app", 0755);
          tar.tree(folder, "app/", Images::shipped);
        });
      }
      upload(context, reference);
    });
  }

  /** Builds whatever the folder's own Containerfile says. */
  public void build(Path folder, String reference) {
    requireFolder(folder);
    Path own = containerfile(folder).orElseThrow(() -> new Failure(ExitCode.FAILED, folder
        + " has no Containerfile; write one, or name the runtime: weir image build " + String.join("|", Runtime.names())
        + " " + folder));
    inWorkFolder(work -> {
      Path context = work.resolve("context.tar");
      String text = Files.readString(own);
      if (text.contains(Containerfiles.RUNTIME)) {
        throw new Failure(ExitCode.FAILED, own + " builds on " + Containerfiles.RUNTIME
            + "; name the runtime: weir image build " + String.join("|", Runtime.names()) + " " + folder);
      }
      context(context, text, tar -> tar.tree(folder, "", Images::shipped));
      upload(context, reference);
    });
  }

  public List<String> load(Path file) {
    try (InputStream stream = Files.newInputStream(file);
        Progress progress = terminal.progress("loading " + file.getFileName(), Files.size(file), "B")) {
      Map<String, Object> answer = gateway.post("/images/load", TAR, Gateway.body(stream, Files.size(file), progress::add));
      progress.done("");
      return answer.get("references") instanceof List<?> list ? list.stream().map(String::valueOf).toList() : List.of();
    } catch (java.nio.file.NoSuchFileException e) {
      throw new Failure(ExitCode.FAILED, "there is no file " + file, e);
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** The file is there whole, or not at all: a gateway that fails half-way can only break off. */
  public void save(String reference, Path file) {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try (Progress progress = terminal.progress("saving " + reference, 0, "B")) {
      gateway.download("/images/archive?reference=" + Gateway.encode(reference), part, progress::add);
      new ImageArchive(part);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      progress.done("");
    } catch (PackageFault e) {
      throw new Failure(ExitCode.FAILED, "the gateway broke off; see its log (" + e.getMessage() + ")", e);
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot write " + file + ": " + e.getMessage(), e);
    } finally {
      part.toFile().delete();
    }
  }

  public void pull(String reference) {
    try (Progress progress = terminal.progress("pulling " + reference, 0, "")) {
      gateway.postForLines("/images/pull?reference=" + Gateway.encode(reference), TAR, Gateway.body(new byte[0], n -> {}),
          line -> progress.say(Json.text(line, "stream").strip()));
      progress.done("");
    }
  }

  /** Makes a runtime, or sees that it is there, and returns its reference. */
  public String runtime(Runtime runtime, boolean fresh) {
    return ensureRuntime(runtime, fresh);
  }

  private String ensureRuntime(Runtime runtime, boolean fresh) {
    String reference = runtime.reference(host);
    boolean missing = fresh || !exists(reference);
    if (missing) {
      Path tar = new RootFs(host, cache, terminal).tar(runtime, fresh);
      importTar(tar, reference, List.of(), "importing the " + runtime.word() + " runtime");
    }
    if (missing || !exists(runtime.current())) {
      // An image with nothing on top of its base is the base under another name.
      inWorkFolder(work -> {
        Path context = work.resolve("context.tar");
        context(context, "FROM " + reference + "\n", tar -> { });
        upload(context, runtime.current());
      });
    }
    return reference;
  }

  private void importProgram(Path program, String reference, Path work) throws IOException {
    Path tar = work.resolve("image.tar");
    try (OutputStream out = Files.newOutputStream(tar); Tars image = new Tars(out)) {
      for (String folder : List.of("app", "dev", "etc", "proc", "run", "sys")) {
        image.folder(folder, 0755);
      }
      image.folder("tmp", 01777);
      image.copy(program, "app/main");
    }
    importTar(tar, reference,
        List.of("ENTRYPOINT [\"/app/main\"]", "WORKDIR /app", "USER 1000:1000", "EXPOSE 8080"), "importing " + reference);
  }

  private void importTar(Path tar, String reference, List<String> changes, String what) {
    StringBuilder query = new StringBuilder("?reference=" + Gateway.encode(reference));
    changes.forEach(change -> query.append("&change=").append(Gateway.encode(change)));
    try (InputStream stream = Files.newInputStream(tar); Progress progress = terminal.progress(what, Files.size(tar), "B")) {
      gateway.post("/images/import" + query, TAR, Gateway.body(stream, Files.size(tar), progress::add));
      progress.done("");
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot read " + tar + ": " + e.getMessage(), e);
    }
  }

  private void upload(Path context, String reference) throws IOException {
    Deque<String> said = new ArrayDeque<>();
    try (InputStream stream = Files.newInputStream(context);
        Progress progress = terminal.progress("building " + reference, 0, "")) {
      gateway.postForLines("/images/build?reference=" + Gateway.encode(reference), TAR,
          Gateway.body(stream, Files.size(context), n -> {}), line -> {
            String words = Json.text(line, "stream").stripTrailing();
            progress.say(words.strip());
            if (!words.isBlank()) {
              said.addLast(words);
            }
            if (said.size() > LAST_WORDS) {
              said.removeFirst();
            }
          });
      progress.done("");
    } catch (Failure e) {
      // The error names the step; why it failed was said by the program that the step ran.
      throw said.isEmpty() ? e : new Failure(e.exitCode(), e.text() + "\n  " + String.join("\n  ", said), e);
    }
  }

  private static void javaContext(Path folder, Path context, String base, Path work) throws IOException {
    Path jar = folder.resolve("app.jar");
    if (!Files.isRegularFile(jar)) {
      jar = work.resolve("app.jar");
      Sources.jar(folder, jar, work);
    }
    Path application = jar;
    context(context, Containerfiles.java(base, mainClass(application)), tar -> {
      tar.folder("app", 0755);
      tar.copy(application, "app/app.jar");
      if (Files.isDirectory(folder.resolve("lib"))) {
        tar.folder("app/lib", 0755);
        tar.tree(folder.resolve("lib"), "app/lib/", Images::shipped);
      }
    });
  }

  private static String mainClass(Path jar) throws IOException {
    try (var file = new java.util.jar.JarFile(jar.toFile())) {
      var manifest = file.getManifest();
      String main = manifest == null ? null : manifest.getMainAttributes().getValue("Main-Class");
      if (main == null || !main.matches("[\\p{Alnum}_.$]+")) {
        throw new Failure(ExitCode.FAILED, jar + " has no Main-Class in its manifest");
      }
      if (file.getEntry(main.replace('.', '/') + ".class") == null) {
        throw new Failure(ExitCode.FAILED, "there is no class " + main + " with a main method; the program starts in Main.java");
      }
      return main;
    }
  }

  private static void requireFolder(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new Failure(ExitCode.FAILED, "there is no folder " + folder);
    }
  }

  private static void requireSource(Runtime runtime, Path folder) {
    String main = runtime == Runtime.PYTHON ? "main.py" : runtime == Runtime.NODE ? "main.js" : null;
    if (main != null && containerfile(folder).isEmpty() && !Files.isRegularFile(folder.resolve(main))) {
      throw new Failure(ExitCode.FAILED, folder + " has no " + main + ", where a " + runtime.word()
          + " function starts; add one, or a Containerfile that says how to start");
    }
  }

  private static Optional<Path> containerfile(Path folder) {
    return List.of("Containerfile", "Dockerfile").stream().map(folder::resolve).filter(Files::isRegularFile).findFirst();
  }

  private static boolean shipped(Path path) {
    String name = String.valueOf(path.getFileName());
    return !NOT_SHIPPED.contains(name) && !name.endsWith(".pyc");
  }

  private interface Content {
    void write(Tars tar) throws IOException;
  }

  static void context(Path file, String containerfile, Content content) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file)); Tars tar = new Tars(out)) {
      tar.file("Containerfile", containerfile.getBytes(StandardCharsets.UTF_8), 0644);
      content.write(tar);
    }
  }

  private interface Work {
    void in(Path work) throws IOException;
  }

  private static void inWorkFolder(Work job) {
    try {
      Path work = Files.createTempDirectory("weir-image-");
      try {
        job.in(work);
      } finally {
        Shell.removeTree(work);
      }
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot build the image: " + e, e);
    }
  }
}
