package io.weir.cli;

import io.weir.cli.image.Host;
import io.weir.cli.image.Images;
import io.weir.cli.image.Runtime;
import io.weir.cli.ui.ExitCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "image", description = "Images of functions, in the gateway's own store.",
    subcommands = {ImageCommand.Build.class, ImageCommand.MakeRuntime.class, ImageCommand.Load.class, ImageCommand.Save.class,
        ImageCommand.Pull.class, ImageCommand.Exists.class})
final class ImageCommand extends Verb {
  @Override
  public Integer call() {
    throw misuse("say what to do: build, runtime, load, save, pull or exists");
  }

  private static Images images(Verb verb) {
    return new Images(verb.gateway(), verb.terminal(), Host.ofThisMachine(), Images.cacheFolder(verb.env()));
  }

  private static String reference(Verb verb, String reference) {
    try {
      return Images.requireReference(reference);
    } catch (IllegalArgumentException e) {
      throw verb.misuse(String.valueOf(e.getMessage()));
    }
  }

  private static Runtime runtime(Verb verb, String word) {
    if (!Runtime.names().contains(word)) {
      throw verb.misuse("unknown runtime '" + word + "'; known are " + String.join(", ", Runtime.names()));
    }
    return Runtime.valueOf(word.toUpperCase(Locale.ROOT));
  }

  @Command(name = "build", description = "Make an image from a folder: with a runtime made of Debian's packages, or by the "
      + "folder's own Containerfile.")
  static final class Build extends Verb {
    @Parameters(paramLabel = "[python|node|java|static] DIR", arity = "1..2", description = "what it is written in, and where it is")
    private List<String> arguments = List.of();

    @Option(names = {"-t", "--tag"}, paramLabel = "REFERENCE", description = "default: localhost/weir/<folder>:1")
    private @Nullable String tag;

    @Option(names = "--fresh", description = "make the runtime anew from today's packages")
    private boolean fresh;

    @Override
    public Integer call() {
      String last = arguments.get(arguments.size() - 1);
      if (arguments.size() == 1 && Runtime.names().contains(last) && !Files.isDirectory(Path.of(last))) {
        throw misuse("the folder is missing: weir image build " + last + " DIR");
      }
      Path folder = Path.of(last);
      String reference = reference(this, tag != null ? tag : Images.defaultReference(folder));
      if (arguments.size() == 1) {
        images(this).build(folder, reference);
      } else {
        images(this).build(runtime(this, arguments.get(0)), folder, reference, fresh);
      }
      terminal().result(Map.of("reference", reference), () -> terminal().line(reference));
      return ExitCode.OK;
    }
  }

  @Command(name = "runtime", description = "Make the runtime of a language, on which its handlers and images run.")
  static final class MakeRuntime extends Verb {
    @Parameters(paramLabel = "python|node|java", description = "the language")
    private String language = "";

    @Option(names = "--fresh", description = "make it anew from today's packages")
    private boolean fresh;

    @Override
    public Integer call() {
      Runtime runtime = runtime(this, language);
      if (runtime == Runtime.STATIC) {
        throw misuse("static programs need no runtime");
      }
      String reference = images(this).runtime(runtime, fresh);
      terminal().result(Map.of("reference", reference), () -> terminal().line(reference));
      return ExitCode.OK;
    }
  }

  @Command(name = "load", description = "Load images from a tar file that podman save or docker save wrote.")
  static final class Load extends Verb {
    @Parameters(paramLabel = "FILE", description = "the tar")
    private Path file = Path.of("");

    @Override
    public Integer call() {
      List<String> references = images(this).load(file);
      terminal().result(Map.of("references", references), () -> references.forEach(terminal()::line));
      return ExitCode.OK;
    }
  }

  @Command(name = "save", description = "Save an image of the gateway as a tar that podman load and docker load read.")
  static final class Save extends Verb {
    @Parameters(index = "0", paramLabel = "REFERENCE", description = "the image")
    private String reference = "";

    @Parameters(index = "1", paramLabel = "FILE", description = "the tar")
    private Path file = Path.of("");

    @Override
    public Integer call() {
      images(this).save(reference(this, reference), file);
      terminal().result(Map.of("reference", reference, "file", file.toString()), () -> terminal().line(file.toString()));
      return ExitCode.OK;
    }
  }

  @Command(name = "pull", description = "Pull an image from a registry.")
  static final class Pull extends Verb {
    @Parameters(paramLabel = "REFERENCE", description = "the image")
    private String reference = "";

    @Override
    public Integer call() {
      images(this).pull(reference(this, reference));
      terminal().result(Map.of("reference", reference), () -> terminal().line(reference));
      return ExitCode.OK;
    }
  }

  @Command(name = "exists", description = "Whether the gateway has an image; exit code 1 if not.")
  static final class Exists extends Verb {
    @Parameters(paramLabel = "REFERENCE", description = "the image")
    private String reference = "";

    @Override
    public Integer call() {
      boolean present = images(this).exists(reference(this, reference));
      terminal().result(Map.of("reference", reference, "present", present),
          () -> terminal().line(reference + (present ? " is present" : " is not present")));
      return present ? ExitCode.OK : ExitCode.FAILED;
    }
  }
}
