package io.weir.deploy.internal;

import io.weir.deployment.Deployment;
import io.weir.deployment.Deployments;
import io.weir.deployment.Refused;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Installs packages that are put in a folder, and writes beside each what became of it. A package is looked at once, until it
 * changes or its note is deleted; one that is still growing waits. On a thread of its own.
 */
final class DropFolder {
  private static final Logger log = LoggerFactory.getLogger(DropFolder.class);
  static final String ENDING = ".weirpkg";
  static final String RESULT = ".result";
  static final String REJECTED = ".rejected";
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final Duration ASK = Duration.ofMillis(50);
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private final Path folder;
  private final Deployments deployments;
  private final Clock clock;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;
  /** How each file looked last time. */
  private final Map<String, String> seen = new HashMap<>();
  /** Files that are done with although no note could be written. */
  private final Map<String, String> done = new HashMap<>();
  private @Nullable String trouble;

  /** @param begin runs the watch's beginning once everything before it is done */
  DropFolder(Path folder, Deployments deployments, Clock clock, java.util.concurrent.Executor begin) {
    this.folder = folder;
    this.deployments = deployments;
    this.clock = clock;
    this.thread = new Thread(this::watch, "weir-deploy-folder");
    thread.setDaemon(true);
    begin.execute(thread::start);
  }

  void close() {
    closing.countDown();
    try {
      thread.join(PATIENCE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void watch() {
    try {
      do {
        look();
      } while (!closing.await(LOOK.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() throws InterruptedException {
    Map<String, String> present;
    try {
      Files.createDirectories(folder);
      present = present();
      if (trouble != null) {
        log.info("{} can be read again", folder);
        trouble = null;
      }
    } catch (IOException e) {
      if (!e.toString().equals(trouble)) {
        trouble = e.toString();
        log.warn("{} cannot be read, so no package in it is installed: {}", folder, trouble);
      }
      return;
    }
    done.keySet().retainAll(present.keySet());
    for (Map.Entry<String, String> file : present.entrySet()) {
      boolean quiet = file.getValue().equals(seen.get(file.getKey()));
      if (quiet && closing.getCount() > 0 && !isDone(file.getKey(), file.getValue())) {
        install(file.getKey(), file.getValue());
      }
    }
    seen.clear();
    seen.putAll(present);
  }

  /** Names of the packages, and how they look from outside. */
  private Map<String, String> present() throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (var entries = Files.newDirectoryStream(folder, "*" + ENDING)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        BasicFileAttributes attributes = attributes(entry);
        if (attributes != null && attributes.isRegularFile() && !name.startsWith(".")) {
          files.put(name, "of " + attributes.size() + " bytes, changed " + attributes.lastModifiedTime());
        }
      }
    } catch (java.nio.file.DirectoryIteratorException e) {
      throw e.getCause();
    }
    return files;
  }

  private static @Nullable BasicFileAttributes attributes(Path file) throws IOException {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private boolean isDone(String name, String look) {
    return look.equals(done.get(name)) || tells(name + RESULT, look) || tells(name + REJECTED, look);
  }

  private boolean tells(String note, String look) {
    try {
      return Files.readString(folder.resolve(note)).contains(look);
    } catch (IOException e) {
      return false;
    }
  }

  private void install(String name, String look) throws InterruptedException {
    try (InputStream in = Files.newInputStream(folder.resolve(name), LinkOption.NOFOLLOW_LINKS)) {
      Deployment end = ended(deployments.install(in, name));
      if (!end.state().isFinal()) {
        return;   // the gateway goes down; its next life looks again
      }
      boolean installed = end.state() == Deployment.State.INSTALLED;
      note(name, look, installed ? RESULT : REJECTED, installed
          ? "installed " + end.name() + " " + end.version() + (end.signer().isEmpty() ? "" : ", signed by " + end.signer())
          : "rolled back " + end.name() + " " + end.version() + ": " + end.detail());
    } catch (Refused e) {
      if (e.code() != Refused.Code.BUSY) {
        note(name, look, REJECTED, "rejected (" + e.code().label() + "): " + e.getMessage());
      }
    } catch (NoSuchFileException e) {
      log.debug("{} went while looking", name);
    } catch (IOException e) {
      note(name, look, REJECTED, "rejected: it cannot be read (" + e + ")");
    }
  }

  private Deployment ended(Deployment begun) throws InterruptedException {
    Deployment now = begun;
    while (!now.state().isFinal() && !closing.await(ASK.toMillis(), TimeUnit.MILLISECONDS)) {
      Optional<Deployment> found = deployments.find(begun.id());
      if (found.isPresent()) {
        now = found.get();
      }
    }
    return now;
  }

  private void note(String name, String look, String ending, String text) {
    log.info("{}: {}", name, text);
    String other = ending.equals(RESULT) ? REJECTED : RESULT;
    try {
      Path next = folder.resolve("." + name + ".note");
      Files.writeString(next, text + "\nat " + clock.instant() + "\n" + look + "\n"
          + "Delete this note to have the package looked at again.\n");
      Files.move(next, folder.resolve(name + ending), java.nio.file.StandardCopyOption.ATOMIC_MOVE,
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      Files.deleteIfExists(folder.resolve(name + other));
    } catch (IOException e) {
      log.warn("what became of {} could not be noted beside it: {}", name, e.toString());
      done.put(name, look);
    }
  }
}
