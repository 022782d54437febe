package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.gateway.Json;
import io.weir.cli.pkg.PackageFile;
import io.weir.cli.pkg.PackageFolder;
import io.weir.cli.ui.Bytes;
import io.weir.cli.ui.Colour;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Progress;
import io.weir.weirpkg.Manifest;
import io.weir.weirpkg.PackageFault;
import io.weir.weirpkg.Signing;
import io.weir.weirpkg.TrustedKeys;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "package", description = "Functions and their images in one file, for gateways elsewhere.",
    subcommands = {PackageCommand.Build.class, PackageCommand.Sign.class, PackageCommand.Verify.class,
        PackageCommand.Install.class, PackageCommand.Installed.class, PackageCommand.Remove.class, PackageCommand.KeyGen.class})
final class PackageCommand extends Verb {
  @Override
  public Integer call() {
    throw misuse("say what to do: build, sign, verify, install, list, remove or keygen");
  }

  private static PrivateKey key(Path file) {
    try {
      return Signing.privateKey(new String(read(file, 16 << 10), StandardCharsets.ISO_8859_1));
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.FAILED, file + ": " + e.getMessage(), e);
    }
  }

  /** What is wrong with a package is said in the words of whoever found it. */
  private interface Work<T> {
    T run() throws IOException;
  }

  private static <T> T on(Path file, Work<T> work) {
    try {
      return work.run();
    } catch (PackageFault e) {
      throw new Failure(ExitCode.FAILED, file + ": " + e.getMessage(), e);
    } catch (java.nio.file.NoSuchFileException e) {
      throw new Failure(ExitCode.FAILED, "there is no file " + e.getFile(), e);
    } catch (IOException e) {
      throw new Failure(ExitCode.FAILED, "cannot read or write " + file + ": " + e.getMessage(), e);
    }
  }

  private static Map<String, Object> view(Path file, Manifest manifest, boolean signed, String signer) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("file", file.toString());
    json.put("name", manifest.name());
    json.put("version", manifest.version());
    json.put("architecture", manifest.architecture().orElse(""));
    json.put("bytes", manifest.totalBytes());
    json.put("images", List.copyOf(manifest.images().keySet()));
    json.put("signed", signed);
    json.put("signer", signer);
    return json;
  }

  @Command(name = "build", description = {"Put a weir.yaml, the files it names and its images into one file.",
      "Images are fetched from the gateway, unless --image says where they are."})
  static final class Build extends Verb {
    @Parameters(paramLabel = "DIR", description = "the folder of the weir.yaml")
    private Path folder = Path.of("");

    @Option(names = "--version", required = true, paramLabel = "VERSION", description = "the package's version, for example 1.2.0")
    private String version = "";

    @Option(names = "--name", paramLabel = "NAME", description = "the package's name (default: the folder's)")
    private @Nullable String name;

    @Option(names = "--image", paramLabel = "REFERENCE=FILE", description = "an image's archive, as podman save writes it; repeatable")
    private Map<String, Path> archives = new LinkedHashMap<>();

    @Option(names = "--without-images", description = "leave images out that --image does not name; they must be on the gateway")
    private boolean withoutImages;

    @Option(names = "--key", paramLabel = "FILE", description = "sign it with this private key")
    private @Nullable Path key;

    @Option(names = {"-o", "--output"}, paramLabel = "FILE", description = "default: NAME-VERSION.weirpkg")
    private @Nullable Path output;

    @Override
    public Integer call() {
      Optional<PrivateKey> signing = Optional.ofNullable(key).map(PackageCommand::key);
      Path folderName = folder.toAbsolutePath().normalize().getFileName();
      String called = name != null ? name : folderName == null ? "" : folderName.toString();
      Path file = output != null ? output : Path.of(called + "-" + version + ".weirpkg");
      Manifest manifest = on(file, () -> {
        try (PackageFolder contents = PackageFolder.of(folder, archives)) {
          if (!withoutImages) {
            contents.fetch(reference -> {
              try (Progress progress = terminal().progress("fetching " + reference, 0, "B")) {
                Path archive = contents.newArchive();
                gateway().download("/images/archive?reference=" + Gateway.encode(reference), archive, progress::add);
                progress.done("");
                return archive;
              }
            });
          }
          return contents.write(called, version, signing, file);
        }
      });
      terminal().result(view(file, manifest, signing.isPresent(), ""), () -> terminal().line(
          terminal().paint(Colour.GREEN, "built") + " " + file + "  " + manifest.name() + " " + manifest.version()
              + manifest.architecture().map(word -> " for " + word).orElse("") + (signing.isPresent() ? ", signed" : ", not signed")));
      return ExitCode.OK;
    }
  }

  @Command(name = "sign", description = "Sign a package, in place of a signature that it may have.")
  static final class Sign extends Verb {
    @Parameters(paramLabel = "FILE", description = "the package")
    private Path file = Path.of("");

    @Option(names = "--key", required = true, paramLabel = "FILE", description = "an Ed25519 private key in PEM, see keygen")
    private Path key = Path.of("");

    @Option(names = {"-o", "--output"}, paramLabel = "FILE", description = "default: the package itself")
    private @Nullable Path output;

    @Override
    public Integer call() {
      PrivateKey signing = key(key);
      Path to = output != null ? output : file;
      Manifest manifest = on(file, () -> PackageFile.sign(file, signing, to));
      terminal().result(view(to, manifest, true, ""), () -> terminal().line(terminal().paint(Colour.GREEN, "signed") + " " + to
          + "  " + manifest.name() + " " + manifest.version()));
      return ExitCode.OK;
    }
  }

  @Command(name = "verify", description = {"Check every byte of a package, and with --key who signed it; exit code 1 if anything is wrong.",
      "Without --key a signature is only said to be there."})
  static final class Verify extends Verb {
    @Parameters(paramLabel = "FILE", description = "the package")
    private Path file = Path.of("");

    @Option(names = "--key", paramLabel = "FILE|DIR", description = "a public key, or a folder of them")
    private @Nullable Path key;

    @Override
    public Integer call() {
      PackageFile.Checked checked = on(file, () -> PackageFile.check(file,
          key == null ? Optional.empty() : Optional.of(Files.isDirectory(key) ? TrustedKeys.in(key, false) : TrustedKeys.of(key))));
      Manifest manifest = checked.manifest();
      terminal().result(view(file, manifest, checked.signed(), checked.signer()), () -> {
        terminal().line(manifest.name() + " " + manifest.version() + manifest.architecture().map(word -> " for " + word).orElse("")
            + (checked.signer().isEmpty() ? checked.signed() ? ", signed by somebody" : ", not signed" : ", signed by " + checked.signer()));
        terminal().table(List.of("FILE", "SIZE", "SHA-256"), manifest.files().stream()
            .map(each -> List.of(each.name(), Bytes.text(each.size()), each.sha256().substring(0, 16) + "…")).toList());
        terminal().line(terminal().paint(Colour.GREEN, "every byte is what the manifest says"));
      });
      return ExitCode.OK;
    }
  }

  @Command(name = "install", description = {"Install a package on the gateway, and wait until it runs.",
      "What runs goes on until the new version has been started on trial; if it cannot be, exit code 1."})
  static final class Install extends Verb {
    private static final long ASK_MILLIS = 200;

    @Parameters(paramLabel = "FILE", description = "the package")
    private Path file = Path.of("");

    @Option(names = "--no-wait", description = "return as soon as the gateway has checked it")
    private boolean noWait;

    @Override
    public Integer call() throws InterruptedException {
      Gateway gateway = gateway();
      Map<String, Object> deployment = upload(gateway);
      String said = "";
      while (!noWait && !Json.flag(deployment, "final")) {
        said = say(deployment, said);
        Thread.sleep(ASK_MILLIS);
        deployment = gateway.get("/deployments/" + Gateway.encode(Json.text(deployment, "id")));
      }
      Map<String, Object> last = deployment;
      String what = Json.text(last, "package") + " " + Json.text(last, "version");
      boolean rolledBack = Json.text(last, "state").equals("rolled-back");
      terminal().result(last, () -> terminal().line(rolledBack
          ? terminal().paint(Colour.RED, "rolled back") + " " + what + ": " + Json.text(last, "detail")
          : terminal().paint(Colour.GREEN, noWait ? "taken" : "installed") + " " + what
              + (Json.text(last, "signer").isEmpty() ? "" : ", signed by " + Json.text(last, "signer"))
              + (Json.text(last, "replaces").isEmpty() ? "" : ", in place of " + Json.text(last, "replaces"))
              + (noWait ? "; deployment " + Json.text(last, "id") : "")));
      return rolledBack ? ExitCode.FAILED : ExitCode.OK;
    }

    private Map<String, Object> upload(Gateway gateway) {
      return on(file, () -> {
        try (InputStream stream = Files.newInputStream(file);
            Progress progress = terminal().progress("uploading " + file.getFileName(), Files.size(file), "B")) {
          Map<String, Object> answer = gateway.post("/packages?source=" + Gateway.encode(String.valueOf(file.getFileName())),
              "application/octet-stream", Gateway.body(stream, Files.size(file), progress::add));
          progress.done("");
          return answer;
        }
      });
    }

    private String say(Map<String, Object> deployment, String said) {
      String step = Json.text(deployment, "step");
      if (!step.equals(said) && !step.isEmpty()) {
        terminal().note(step);
      }
      return step;
    }
  }

  @Command(name = "list", aliases = "ls", description = "The packages that are installed.")
  static final class Installed extends Verb {
    @Override
    public Integer call() {
      Map<String, Object> answer = gateway().get("/packages");
      List<Map<String, Object>> packages = Json.maps(answer, "packages");
      terminal().result(answer, () -> {
        if (packages.isEmpty()) {
          terminal().line("no packages; 'weir package install FILE' installs one");
          return;
        }
        terminal().table(List.of("NAME", "VERSION", "FUNCTIONS", "SIGNED BY", "INSTALLED"), packages.stream()
            .map(each -> List.of(Json.text(each, "name"), Json.text(each, "version"),
                each.get("functions") instanceof List<?> list ? String.join(", ", list.stream().map(String::valueOf).toList()) : "",
                Json.text(each, "signer"), Json.text(each, "installed"))).toList());
      });
      return ExitCode.OK;
    }
  }

  @Command(name = "remove", aliases = "rm", description = "Remove a package with its functions and images.")
  static final class Remove extends Verb {
    @Parameters(paramLabel = "NAME", description = "the package")
    private String name = "";

    @Override
    public Integer call() {
      gateway().delete("/packages/" + Gateway.encode(name));
      terminal().result(Map.of("removed", name), () -> terminal().line(terminal().paint(Colour.GREEN, "removed") + " " + name));
      return ExitCode.OK;
    }
  }

  @Command(name = "keygen", description = {"Make a key to sign packages with: NAME.pem, which stays with you, and NAME.pub, which",
      "goes into trust.d of the gateways' data folders."})
  static final class KeyGen extends Verb {
    @Parameters(paramLabel = "NAME", description = "name of the files, without an ending")
    private Path name = Path.of("");

    @Override
    public Integer call() {
      Path secret = name.resolveSibling(name.getFileName() + ".pem");
      Path shown = name.resolveSibling(name.getFileName() + ".pub");
      KeyPair key = Signing.newKey();
      on(secret, () -> {
        if (Files.exists(secret) || Files.exists(shown)) {
          throw new Failure(ExitCode.FAILED, "there is a key called " + name + " already; choose another name");
        }
        Files.createFile(secret, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(secret, Signing.pem(key.getPrivate()), StandardOpenOption.WRITE);
        return Files.writeString(shown, Signing.pem(key.getPublic()), StandardOpenOption.CREATE_NEW);
      });
      terminal().result(Map.of("private", secret.toString(), "public", shown.toString()), () -> {
        terminal().line(secret + "  keep it, and keep it secret");
        terminal().line(shown + "  copy it to trust.d in the data folder of your gateways");
      });
      return ExitCode.OK;
    }
  }
}
