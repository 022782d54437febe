package io.weir.registry.internal;

import io.weir.event.Events;
import io.weir.function.FunctionCheck;
import io.weir.function.FunctionListener;
import io.weir.function.FunctionName;
import io.weir.function.FunctionRegistry;
import io.weir.function.FunctionSpec;
import io.weir.function.InvalidDeclaration;
import io.weir.function.InvalidFunction;
import io.weir.function.PackagedFunctions;
import io.weir.function.Problem;
import io.weir.registry.internal.Catalogue.Conflict;
import io.weir.registry.internal.Catalogue.Entry;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/**
 * The functions of all factory configurations, and the only one to write these.
 *
 * <p>Every change is made under one lock: compared, stored, taken over, told. ConfigurationAdmin's own notice of it
 * arrives later and makes the registry look again, which finds nothing new. Only what {@link FunctionCheck}s say is
 * asked before, without the lock, because it may take seconds; whatever changed meanwhile is found under the lock.
 *
 * <p>What is new is checked, not what was kept: checks come and go, and must not keep the gateway from starting.
 */
@Component(immediate = true, service = {FunctionRegistry.class, PackagedFunctions.class, Registry.class})
public final class Registry implements FunctionRegistry, PackagedFunctions {
  static final String API = "api";
  static final String CONFIGURATION = "configuration";

  private final ConfigurationAdmin configurations;
  private final Clock clock;
  private final Object lock = new Object();
  private final Catalogue catalogue;
  private final Map<String, Problem> fileProblems = new ConcurrentHashMap<>();
  private final Checks checks;
  private final ThreadPoolExecutor checker;

  @Activate
  public Registry(@Reference ConfigurationAdmin configurations, @Reference Events events) {
    this(configurations, events, Clock.systemUTC());
  }

  Registry(ConfigurationAdmin configurations, Events events, Clock clock) {
    this.configurations = configurations;
    this.clock = clock;
    this.catalogue = new Catalogue(events, clock);
    this.checks = new Checks(clock);
    this.checker = new ThreadPoolExecutor(1, 1, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
      Thread thread = new Thread(work, "weir-function-checks");
      thread.setDaemon(true);
      return thread;
    }, new ThreadPoolExecutor.DiscardPolicy());
    checker.allowCoreThreadTimeOut(true);
    synchronized (lock) {
      stored("(service.factoryPid=" + FunctionConfig.PID + ")")
          .sorted(java.util.Comparator.comparing(Configuration::getPid)).forEach(this::take);
    }
  }

  @Deactivate
  void close() {
    checker.shutdownNow();
  }

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void addCheck(FunctionCheck check) {
    checks.add(check);
  }

  public void removeCheck(FunctionCheck check) {
    checks.remove(check);
  }

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void addListener(FunctionListener listener) {
    synchronized (lock) {
      catalogue.addListener(listener);
    }
  }

  public void removeListener(FunctionListener listener) {
    synchronized (lock) {
      catalogue.removeListener(listener);
    }
  }

  @Override
  public List<FunctionSpec> functions() {
    return List.copyOf(catalogue.snapshot().functions().values());
  }

  @Override
  public Optional<FunctionSpec> find(FunctionName name) {
    return Optional.ofNullable(catalogue.snapshot().functions().get(name));
  }

  @Override
  public Optional<String> origin(FunctionName name) {
    return Optional.ofNullable(catalogue.snapshot().origins().get(name));
  }

  @Override
  public List<Problem> problems() {
    return Stream.concat(fileProblems.values().stream().sorted(java.util.Comparator.comparing(Problem::source)),
        catalogue.snapshot().problems().stream()).toList();
  }

  /** A configuration was made, changed or deleted; which of these is found by looking, so that no order matters. */
  void look(String pid) {
    synchronized (lock) {
      Optional<Configuration> found;
      try {
        found = stored(pidFilter(pid)).findFirst();
      } catch (IllegalStateException e) {
        return; // ConfigurationAdmin is going down; that removes no function.
      }
      found.ifPresentOrElse(this::take, () -> catalogue.remove(pid));
    }
  }

  private void take(Configuration configuration) {
    Dictionary<String, Object> properties = configuration.getProperties();
    if (properties == null || properties.get(FunctionProperties.LEAVING) != null) {
      return; // Made, but not filled yet; or there only so that Kura deletes it.
    }
    String pid = configuration.getPid();
    String origin = FunctionProperties.origin(properties);
    try {
      FunctionSpec wanted = FunctionProperties.read(pid, properties);
      if (checks.isEmpty() || isKnown(pid, wanted)) {
        catalogue.put(pid, origin, wanted);
      } else {
        // Not here: whoever tells of configurations has others to tell of, and the lock is held.
        checker.execute(() -> takeChecked(pid, origin, wanted));
      }
    } catch (InvalidFunction e) {
      catalogue.putInvalid(pid, origin, e.getMessage());
    }
  }

  private boolean isKnown(String pid, FunctionSpec wanted) {
    Entry known = catalogue.byPid(pid);
    return known != null && (wanted.equals(known.wanted()) || wanted.equals(known.running()));
  }

  private void takeChecked(String pid, String origin, FunctionSpec wanted) {
    Optional<InvalidFunction> objection = Optional.empty();
    try {
      checks.check(wanted);
    } catch (InvalidFunction e) {
      objection = Optional.of(e);
    }
    synchronized (lock) {
      if (says(pid, wanted)) {
        objection.ifPresentOrElse(e -> catalogue.putInvalid(pid, origin, e.getMessage()),
            () -> catalogue.put(pid, origin, wanted));
      }
    }
  }

  /** Whether a configuration still is this function; if not, there is or will be another look at it. */
  private boolean says(String pid, FunctionSpec wanted) {
    try {
      Optional<Dictionary<String, Object>> now = stored(pidFilter(pid)).findFirst().map(Configuration::getProperties);
      return now.isPresent() && FunctionProperties.read(pid, now.get()).equals(wanted);
    } catch (InvalidFunction | IllegalStateException e) {
      return false;
    }
  }

  @Override
  public List<FunctionSpec> declare(String yaml, String source, Map<String, String> files) {
    return declare(yaml, source, API, HandlerFiles.of(files), Set.of());
  }

  /**
   * Makes the functions of a watched file exactly those of its text.
   *
   * @param files what lies beside it
   * @param gone files that are no more, whose functions this one may take over
   */
  void declareFile(String file, String yaml, HandlerFiles files, Set<String> gone) {
    declare(yaml, file, file, files, gone);
  }

  @Override
  public List<FunctionSpec> read(String yaml, String source, Map<String, String> files) {
    try {
      return WeirYaml.parse(yaml, HandlerFiles.of(files)).stream().map(Declaration::spec).toList();
    } catch (YamlFault e) {
      throw new InvalidDeclaration(new Problem(source, e.line(), e.getMessage(), clock.instant()), e);
    }
  }

  @Override
  public Runnable replace(String name, List<FunctionSpec> functions, String source) {
    String origin = ORIGIN + name;
    List<Entry> before = new ArrayList<>();
    apply(functions.stream().map(spec -> new Declaration(spec, 0, Map.of())).toList(), source, origin, Set.of(API), before);
    return () -> putBack(before, source, origin);
  }

  /** Whoever else has changed a function meanwhile owns it now, and keeps it. */
  private void putBack(List<Entry> before, String source, String origin) {
    synchronized (lock) {
      Map<String, Entry> now = catalogue.entries().stream().collect(Collectors.toMap(Entry::pid, entry -> entry));
      Map<String, Map<String, FunctionSpec>> restored = new LinkedHashMap<>();
      for (Entry entry : before) {
        Entry current = now.remove(entry.pid());
        if (entry.running() != null && (current == null || current.origin().equals(origin))) {
          restored.computeIfAbsent(entry.origin(), its -> new LinkedHashMap<>()).put(entry.pid(), entry.running());
        }
      }
      delete(now.values().stream().filter(entry -> entry.origin().equals(origin)).toList(), source);
      restored.forEach((owner, functions) -> {
        store(functions, source, owner);
        catalogue.putChecked(functions, owner);
      });
    }
  }

  /** A watched file was removed, and with it its functions. */
  void removeFile(String file) {
    synchronized (lock) {
      delete(leaving(file, Set.of()), file);
      fileProblems.remove(file);
    }
  }

  /** The watched files that functions come from, as far as configurations remember. */
  Set<String> files() {
    synchronized (lock) {
      return catalogue.entries().stream().map(Entry::origin).filter(Registry::isFile).collect(Collectors.toSet());
    }
  }

  private static boolean isFile(String origin) {
    return !origin.equals(API) && !origin.equals(CONFIGURATION) && !isPackage(origin);
  }

  /** No file is called so: names of files have an ending, names of packages have no dot. */
  static boolean isPackage(String origin) {
    return origin.startsWith(ORIGIN) && origin.indexOf('.') < 0;
  }

  /** Whether what the origin does not declare any more is gone. */
  private static boolean isWhole(String origin) {
    return isFile(origin) || isPackage(origin);
  }

  /** Notes what is wrong with a file, or that nothing is any more. Returns whether that is news. */
  boolean fileProblem(String file, @Nullable Problem problem) {
    if (problem == null) {
      return fileProblems.remove(file) != null;
    }
    Problem before = fileProblems.get(file);
    if (before != null && before.message().equals(problem.message()) && before.line() == problem.line()) {
      return false;
    }
    fileProblems.put(file, problem);
    return true;
  }

  /** A new watch finds out for itself what is wrong. */
  void forgetFileProblems() {
    fileProblems.clear();
  }

  private List<Entry> leaving(String file, Set<FunctionName> kept) {
    return catalogue.entries().stream().filter(entry -> entry.origin().equals(file))
        .filter(entry -> entry.running() == null || !kept.contains(entry.running().name())).toList();
  }

  private List<FunctionSpec> declare(String yaml, String source, String origin, HandlerFiles files, Set<String> gone) {
    try {
      return apply(WeirYaml.parse(yaml, files), source, origin, gone, new ArrayList<>());
    } catch (YamlFault e) {
      throw new InvalidDeclaration(new Problem(source, e.line(), e.getMessage(), clock.instant()), e);
    }
  }

  /** @param before filled with what is changed or removed, as it was */
  private List<FunctionSpec> apply(List<Declaration> declarations, String source, String origin, Set<String> gone,
      List<Entry> before) {
    try {
      check(declarations, origin, gone);
      synchronized (lock) {
        Map<String, FunctionSpec> accepted = accept(declarations, origin, gone);
        catalogue.entries().stream().filter(entry -> accepted.containsKey(entry.pid())
            || isWhole(origin) && entry.origin().equals(origin)).forEach(before::add);
        store(accepted, source, origin);
        catalogue.putChecked(accepted, origin);
        if (isWhole(origin)) {
          Set<FunctionName> kept = accepted.values().stream().map(FunctionSpec::name).collect(Collectors.toSet());
          delete(leaving(origin, kept), source);
        }
        return List.copyOf(accepted.values());
      }
    } catch (YamlFault e) {
      throw new InvalidDeclaration(new Problem(source, e.line(), e.getMessage(), clock.instant()), e);
    }
  }

  /** Asks every check about what is new, once it is clear that nothing else is in its way. */
  private void check(List<Declaration> declarations, String origin, Set<String> gone) {
    List<Declaration> unknown;
    synchronized (lock) {
      Map<String, FunctionSpec> accepted = accept(declarations, origin, gone);
      Set<FunctionName> changed = accepted.entrySet().stream().filter(each -> !isKnown(each.getKey(), each.getValue()))
          .map(each -> each.getValue().name()).collect(Collectors.toSet());
      unknown = declarations.stream().filter(declaration -> changed.contains(declaration.spec().name())).toList();
    }
    for (Declaration declaration : unknown) {
      try {
        checks.check(declaration.spec());
      } catch (InvalidFunction e) {
        throw new YamlFault(declaration.lineOf(e.key()),
            "function " + declaration.spec().name() + ": " + e.getMessage(), e);
      }
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new IllegalStateException("interrupted while functions were checked; nothing was changed");
    }
  }

  /** What is declared, by PID. */
  private Map<String, FunctionSpec> accept(List<Declaration> declarations, String origin, Set<String> gone) {
    Map<String, FunctionSpec> accepted = new LinkedHashMap<>();
    declarations.forEach(declaration -> accepted.put(owned(declaration, origin, gone), declaration.spec()));
    requireNoConflict(declarations, accepted.keySet(), origin);
    return accepted;
  }

  /** The PID under which the function is or will be kept, if it belongs to this origin. */
  private String owned(Declaration declaration, String origin, Set<String> gone) {
    FunctionName name = declaration.spec().name();
    String pid = FunctionConfig.PID + "~" + name;
    Entry owner = catalogue.byName(name);
    if (owner == null) {
      owner = catalogue.byPid(pid);
    }
    if (owner == null) {
      return pid;
    }
    if (!owner.origin().equals(origin) && !gone.contains(owner.origin())) {
      throw new YamlFault(declaration.line(), Conflict.name(name, owner).message());
    }
    return owner.pid();
  }

  /** Against the functions that will run beside these; those that this file drops will not. */
  private void requireNoConflict(List<Declaration> declarations, Set<String> replaced, String origin) {
    List<Entry> beside = catalogue.entries().stream().filter(entry -> !replaced.contains(entry.pid()))
        .filter(entry -> !isWhole(origin) || !entry.origin().equals(origin)).toList();
    List<Declaration> before = new ArrayList<>();   // of those that may be in somebody's way
    for (Declaration declaration : declarations) {
      boolean takes = Conflict.takesSomething(declaration.spec());
      Optional<Conflict> conflict = Conflict.of(declaration.spec(), beside).or(() -> !takes ? Optional.empty()
          : before.stream().flatMap(other -> Conflict.beside(declaration.spec(), other.spec(), "line " + other.line())
              .stream()).findFirst());
      conflict.ifPresent(found -> {
        throw new YamlFault(declaration.lineOf(found.key()), found.message());
      });
      if (takes) {
        before.add(declaration);
      }
    }
  }

  private void store(Map<String, FunctionSpec> functions, String source, String origin) {
    Map<Configuration, Optional<Dictionary<String, Object>>> before = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, FunctionSpec> function : functions.entrySet()) {
        Configuration configuration = configuration(function.getKey(), function.getValue());
        before.put(configuration, Optional.ofNullable(configuration.getProperties()));
        configuration.updateIfDifferent(FunctionProperties.write(function.getValue(), origin));
      }
    } catch (IOException e) {
      before.forEach(Registry::restore);
      throw new InvalidDeclaration(new Problem(source, 0, "the functions could not be stored (" + e.getMessage()
          + "); look at the disk of the gateway's data folder", clock.instant()), e);
    }
  }

  private Configuration configuration(String pid, FunctionSpec spec) throws IOException {
    Optional<Configuration> existing = stored(pidFilter(pid)).findFirst();
    return existing.isPresent() ? existing.get()
        : configurations.getFactoryConfiguration(FunctionConfig.PID, spec.name().value(), "?");
  }

  private static void restore(Configuration configuration, Optional<Dictionary<String, Object>> properties) {
    try {
      if (properties.isPresent()) {
        configuration.update(properties.get());
      } else {
        configuration.delete();
      }
    } catch (IOException e) {
      org.slf4j.LoggerFactory.getLogger(Registry.class).error("{} could not be restored", configuration.getPid(), e);
    }
  }

  @Override
  public boolean remove(FunctionName name) {
    synchronized (lock) {
      Entry entry = catalogue.byName(name);
      if (entry == null) {
        entry = catalogue.byPid(FunctionConfig.PID + "~" + name);
      }
      if (entry == null) {
        return false;
      }
      if (isFile(entry.origin())) {
        throw new InvalidDeclaration(new Problem(entry.origin(), 0, "function " + name + ": is declared in the watched "
            + "file " + entry.origin() + "; remove it there, or it would come back", clock.instant()), null);
      }
      if (isPackage(entry.origin())) {
        String owner = entry.origin().substring(ORIGIN.length());
        throw new InvalidDeclaration(new Problem("package " + owner, 0, "function " + name + ": came in package " + owner
            + "; remove that with 'weir package remove " + owner + "', or install a version without the function",
            clock.instant()), null);
      }
      delete(List.of(entry), name.value());
      return true;
    }
  }

  private void delete(List<Entry> leaving, String source) {
    for (Entry entry : leaving) {
      try {
        Optional<Configuration> stored = stored(pidFilter(entry.pid())).findFirst();
        if (stored.isPresent()) {
          stored.get().delete();
        }
      } catch (IOException e) {
        throw new InvalidDeclaration(new Problem(source, 0, entry.pid() + " could not be deleted (" + e.getMessage()
            + "); look at the disk of the gateway's data folder", clock.instant()), e);
      }
      catalogue.remove(entry.pid());
    }
  }

  /** A PID may come from a file name, with anything in it (RFC 4515 §3). */
  private static String pidFilter(String pid) {
    String escaped = pid.replace("\\", "\\\\").replace("*", "\\*").replace("(", "\\(").replace(")", "\\)");
    return "(service.pid=" + escaped + ")";
  }

  private Stream<Configuration> stored(String filter) {
    try {
      Configuration[] found = configurations.listConfigurations(filter);
      return found == null ? Stream.empty() : Stream.of(found);
    } catch (IOException e) {
      throw new IllegalStateException("ConfigurationAdmin cannot read " + filter, e);
    } catch (InvalidSyntaxException e) {
      throw new IllegalArgumentException(filter, e);
    }
  }
}
