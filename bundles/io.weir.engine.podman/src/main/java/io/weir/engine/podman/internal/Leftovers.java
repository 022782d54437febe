package io.weir.engine.podman.internal;

import io.weir.child.Root;
import io.weir.engine.podman.internal.Session.Runtime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What containers leave behind when something kills their conmon, or the podman that cleans up after them: processes,
 * cgroups, and what the OCI runtime noted. Touches only containers below our own cgroup.
 */
final class Leftovers {
  private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);
  private static final String ID = "[0-9a-f]{64}";
  private static final long DELETES_WITHIN_SECONDS = 10;

  private final OwnCgroup cgroup;
  /** Conmons without a container that the last sweep saw. */
  private volatile Set<String> idleConmons = Set.of();

  Leftovers(OwnCgroup cgroup) {
    this.cgroup = cgroup;
  }

  /** Ends and removes whatever there is of a container that does not exist, or is not to exist any more. */
  void clear(String id, Runtime runtime) {
    if (id.matches(ID) && (cgroup.has(id) || Files.exists(runtime.state(id)))) {
      end(id, runtime);
    }
  }

  private void end(String id, Runtime runtime) {
    LOG.info("removing what is left of container {}", id);
    cgroup.kill(id);
    if (Files.exists(runtime.state(id))) {
      delete(id, runtime);
    }
    cgroup.remove(id);
  }

  private static void delete(String id, Runtime runtime) {
    try {
      Process delete = new ProcessBuilder(
          Root.command(List.of(runtime.program().toString(), "delete", "--force", id)))
          .redirectInput(Path.of("/dev/null").toFile()).redirectErrorStream(true).start();
      String said = new String(delete.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!delete.waitFor(DELETES_WITHIN_SECONDS, TimeUnit.SECONDS)) {
        delete.destroyForcibly();
      } else if (delete.exitValue() != 0) {
        LOG.warn("{} cannot delete the former container {}: {}", runtime.program(), id, said);
      }
    } catch (IOException e) {
      LOG.warn("cannot run {}; the former container {} leaves {} behind", runtime.program(), id, runtime.state(id), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** @param existing asks Podman for the ids of its containers */
  void sweep(Runtime runtime, Supplier<Set<String>> existing) {
    // First what is there, then what exists: a container that is created meanwhile is in both or in neither.
    Set<String> orphans = new HashSet<>(cgroup.containers());
    Set<String> conmons = new HashSet<>(cgroup.conmons());
    Set<String> noted = noted(runtime);
    Set<String> exist = existing.get();
    orphans.removeAll(exist);
    conmons.removeAll(exist);
    noted.removeAll(exist);
    noted.stream().filter(id -> isOurs(runtime.state(id))).forEach(orphans::add);
    // The conmon of a container that has just been removed is about to end by itself.
    conmons.stream().filter(idleConmons::contains).forEach(orphans::add);
    idleConmons = Set.copyOf(conmons);
    orphans.forEach(id -> end(id, runtime));
  }

  private static Set<String> noted(Runtime runtime) {
    Set<String> ids = new HashSet<>();
    try (Stream<Path> states = Files.list(runtime.states())) {
      states.map(state -> state.getFileName().toString()).filter(name -> name.matches(ID)).forEach(ids::add);
    } catch (IOException | UncheckedIOException e) {
      LOG.trace("the runtime never ran", e);
    }
    return ids;
  }

  /** runc notes a container's cgroups in state.json, crun in status. */
  private boolean isOurs(Path state) {
    for (String name : new String[] {"state.json", "status"}) {
      try {
        if (cgroup.isMentionedIn(Files.readString(state.resolve(name)))) {
          return true;
        }
      } catch (IOException e) {
        LOG.trace("not this runtime's, or gone", e);
      }
    }
    return false;
  }

  void close() {
    cgroup.close();
  }
}
