package io.weir.pool.internal;

import io.weir.function.FunctionSpec;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The costs of all functions, kept in a file so that a restart need not measure again. Thread-safe. */
final class CostLedger {
  private static final Logger LOG = LoggerFactory.getLogger(CostLedger.class);

  private final Path file;
  private final Properties earlier = new Properties();
  private final Map<String, Costs> known = new ConcurrentHashMap<>();

  /** Reads the file, if it is there. */
  CostLedger(Path file) {
    this.file = file;
    try (Reader in = Files.newBufferedReader(file)) {
      earlier.load(in);
    } catch (java.nio.file.NoSuchFileException e) {
      LOG.debug("nothing was measured yet: there is no {}", file);
    } catch (IOException | IllegalArgumentException e) {
      LOG.warn("cannot read {}; what rungs cost is measured anew: {}", file, e.getMessage());
    }
  }

  /** Those of this revision; the same object every time. */
  Costs costs(FunctionSpec spec) {
    return known.computeIfAbsent(key(spec), key -> {
      Costs costs = new Costs(spec);
      costs.read(key, earlier);
      return costs;
    });
  }

  private static String key(FunctionSpec spec) {
    return spec.name() + "." + spec.revision();
  }

  /** Writes the file if something changed, with the functions that there are. */
  void save(Set<FunctionSpec> functions) {
    boolean changed = false;
    Properties all = new Properties();
    for (FunctionSpec spec : functions) {
      Costs costs = costs(spec);
      changed |= costs.takeChanged();
      costs.write(key(spec), all);
    }
    known.keySet().retainAll(functions.stream().map(CostLedger::key).toList());
    if (!changed) {
      return;
    }
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Path next = file.resolveSibling(file.getFileName() + ".next");
      try (Writer out = Files.newBufferedWriter(next)) {
        all.store(out, "What the rungs of each function cost here: microseconds to resume and to park, bytes held");
      }
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      LOG.warn("cannot write {}; a restart will measure again: {}", file, e.getMessage());
    }
  }
}
