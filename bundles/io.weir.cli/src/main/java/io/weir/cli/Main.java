package io.weir.cli;

import io.weir.cli.gateway.Gateway;
import io.weir.cli.ui.ExitCode;
import io.weir.cli.ui.Failure;
import io.weir.cli.ui.Terminal;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Model.CommandSpec;

/** The {@code weir} command: options that every verb has, and how every verb ends. */
@Command(name = "weir", description = "Functions in containers, started by MQTT messages and HTTP requests.",
    versionProvider = Main.Version.class, sortOptions = false, synopsisSubcommandLabel = "VERB",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:it worked", "1:it was tried and failed", "2:the command line is wrong", "3:no gateway answers",
        "4:the gateway refused", "5:this machine lacks a program or a permission"},
    subcommands = {RunCommand.class, DoctorCommand.class, StatusCommand.class, DeployCommand.class, ListCommand.class,
        InstancesCommand.class, RestCommand.class, CalibrateCommand.class, ForecastCommand.class, TopCommand.class,
        TrafficCommand.class, InvokeCommand.class, LogsCommand.class, RemoveCommand.class, EventsCommand.class,
        DlqCommand.class, AuditCommand.class,
        PublishCommand.class, ReplayCommand.class, ImageCommand.class, PackageCommand.class, DeviceCommand.class})
public final class Main implements Runnable {
  @Option(names = "--url", paramLabel = "URL", scope = ScopeType.INHERIT,
      description = "the gateway (default: $WEIR_URL, else http://127.0.0.1:8480)")
  private @Nullable String url;

  @Option(names = "--json", scope = ScopeType.INHERIT, description = "a result for programs instead of people")
  private boolean json;

  @Option(names = {"-h", "--help"}, usageHelp = true, scope = ScopeType.INHERIT, description = "this text")
  private boolean help;

  @Option(names = {"-V", "--version"}, versionHelp = true, description = "the version")
  private boolean version;

  @Spec
  private @Nullable CommandSpec spec;

  private final PrintStream out;
  private final PrintStream err;
  private final Map<String, String> env;
  private @Nullable Terminal terminal;

  Main(PrintStream out, PrintStream err, Map<String, String> env) {
    this.out = out;
    this.err = err;
    this.env = env;
  }

  public static void main(String[] args) {
    System.exit(run(System.out, System.err, System.getenv(), args));
  }

  /** Runs one command line, and returns its exit code. */
  static int run(PrintStream out, PrintStream err, Map<String, String> env, String... args) {
    Main main = new Main(out, err, env);
    return new CommandLine(main)
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .setCaseInsensitiveEnumValuesAllowed(true)
        // Else picocli reads options from the FILE of 'invoke -d @FILE'.
        .setExpandAtFiles(false)
        .setExecutionExceptionHandler((e, command, parsed) -> main.ended(e))
        .setParameterExceptionHandler((e, arguments) -> main.misused(e, List.of(arguments)))
        .execute(args);
  }

  @Override
  public void run() {
    if (spec != null) {
      spec.commandLine().usage(spec.commandLine().getOut());
    }
  }

  Terminal terminal() {
    Terminal known = terminal;
    if (known == null) {
      known = out == System.out ? Terminal.ofProcess(out, err, json) : new Terminal(out, err, json, false, false);
      terminal = known;
    }
    return known;
  }

  Gateway gateway() {
    return new Gateway(url());
  }

  String url() {
    return url != null ? url : env.getOrDefault("WEIR_URL", "http://127.0.0.1:8480");
  }

  /** Whether the user chose a gateway, be it by option or by environment. */
  boolean urlChosen() {
    return url != null || env.containsKey("WEIR_URL");
  }

  Map<String, String> env() {
    return env;
  }

  private int ended(Exception e) throws Exception {
    if (e instanceof Failure failure) {
      return fail(failure.exitCode(), failure.text());
    }
    if (System.getenv("WEIR_DEBUG") != null) {
      throw e;
    }
    String text = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return fail(ExitCode.FAILED, text + " (" + e.getClass().getSimpleName() + "; WEIR_DEBUG=1 shows where)");
  }

  private int misused(ParameterException e, List<String> arguments) {
    if (arguments.contains("--json")) {
      new Terminal(out, err, true, false, false).result(error(ExitCode.USAGE, String.valueOf(e.getMessage())));
    }
    CommandLine command = e.getCommandLine();
    err.println("weir: " + e.getMessage());
    if (!CommandLine.UnmatchedArgumentException.printSuggestions(e, command.getErr())) {
      err.println("Try 'weir " + (command.getParent() == null ? "" : path(command) + " ") + "--help'.");
    }
    err.flush();
    return ExitCode.USAGE;
  }

  private static String path(CommandLine command) {
    return command.getCommandSpec().qualifiedName().replaceFirst("^weir ", "");
  }

  private int fail(int exitCode, String text) {
    if (json) {
      terminal().result(error(exitCode, text));
    }
    terminal().error("weir: " + text);
    return exitCode;
  }

  private static Map<String, Object> error(int exitCode, String text) {
    return Map.of("error", text, "exitCode", exitCode);
  }

  static final class Version implements CommandLine.IVersionProvider {
    static String number() {
      String version = Main.class.getPackage().getImplementationVersion();
      return version == null ? "development" : version;
    }

    @Override
    public String[] getVersion() {
      return new String[] {"weir " + number()};
    }
  }
}
