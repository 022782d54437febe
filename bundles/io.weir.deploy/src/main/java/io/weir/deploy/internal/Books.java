package io.weir.deploy.internal;

import io.weir.deployment.InstalledPackage;
import io.weir.function.FunctionName;
import io.weir.function.FunctionRegistry;
import io.weir.function.PackagedFunctions;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is noted about packages. Which functions they have is the registry's to say, so what is missing or wrong here costs a
 * version number and nothing else. Thread-safe.
 */
final class Books {
  private static final Logger log = LoggerFactory.getLogger(Books.class);
  private static final String ENDING = ".properties";
  /** Names of images that were loaded and not removed since. */
  private static final String IMAGES = "images";

  private final Path folder;
  private final FunctionRegistry registry;

  Books(Path folder, FunctionRegistry registry) {
    this.folder = folder;
    this.registry = registry;
  }

  List<InstalledPackage> packages() {
    Map<String, List<FunctionName>> functions = new TreeMap<>();
    registry.functions().forEach(spec -> registry.origin(spec.name()).filter(origin -> origin.startsWith(PackagedFunctions.ORIGIN))
        .ifPresent(origin -> functions.computeIfAbsent(origin.substring(PackagedFunctions.ORIGIN.length()),
            name -> new ArrayList<>()).add(spec.name())));
    names().forEach(name -> functions.putIfAbsent(name, List.of()));
    return functions.entrySet().stream().map(each -> view(each.getKey(), each.getValue())).toList();
  }

  private InstalledPackage view(String name, List<FunctionName> functions) {
    Properties noted = read(name);
    Optional<Instant> installed;
    try {
      installed = Optional.ofNullable(noted.getProperty("installed")).map(Instant::parse);
    } catch (DateTimeParseException e) {
      installed = Optional.empty();
    }
    return new InstalledPackage(name, noted.getProperty("version", ""), noted.getProperty("signer", ""), functions, installed);
  }

  Optional<InstalledPackage> find(String name) {
    return packages().stream().filter(each -> each.name().equals(name)).findFirst();
  }

  private synchronized Set<String> names() {
    Set<String> names = new TreeSet<>();
    try (var files = Files.newDirectoryStream(folder, "*" + ENDING)) {
      files.forEach(file -> names.add(file.getFileName().toString().replace(ENDING, "")));
    } catch (IOException e) {
      log.debug("nothing is noted in {}", folder, e);
    }
    return names;
  }

  private synchronized Properties read(String name) {
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(Files.readString(folder.resolve(name + ENDING))));
    } catch (NoSuchFileException e) {
      log.debug("nothing is noted about package {}", name);
    } catch (IOException | IllegalArgumentException e) {
      log.warn("what was noted about package {} cannot be read: {}", name, e.toString());
    }
    return properties;
  }

  synchronized void installed(String name, String version, String signer, Instant when) {
    Properties properties = new Properties();
    properties.setProperty("version", version);
    properties.setProperty("signer", signer);
    properties.setProperty("installed", when.toString());
    StringWriter text = new StringWriter();
    try {
      properties.store(text, null);
      write(name + ENDING, text.toString());
    } catch (IOException e) {
      log.warn("package {} {} is installed, but that could not be noted: {}", name, version, e.toString());
    }
  }

  synchronized void removed(String name) {
    try {
      Files.deleteIfExists(folder.resolve(name + ENDING));
    } catch (IOException e) {
      log.warn("package {} is removed, but that could not be noted: {}", name, e.toString());
    }
  }

  synchronized Set<String> images() {
    try {
      return new TreeSet<>(Files.readAllLines(folder.resolve(IMAGES)));
    } catch (NoSuchFileException e) {
      return Set.of();
    } catch (IOException e) {
      log.warn("{} cannot be read, so images that nobody needs any more stay: {}", folder.resolve(IMAGES), e.toString());
      return Set.of();
    }
  }

  /** Before it is loaded, so that it is found again whatever happens. */
  synchronized void loading(String image) throws IOException {
    Set<String> images = new TreeSet<>(images());
    if (images.add(image)) {
      write(IMAGES, String.join("\n", images) + "\n");
    }
  }

  synchronized void unloaded(String image) {
    Set<String> images = new TreeSet<>(images());
    if (images.remove(image)) {
      try {
        write(IMAGES, images.isEmpty() ? "" : String.join("\n", images) + "\n");
      } catch (IOException e) {
        log.warn("{} could not be written: {}", folder.resolve(IMAGES), e.toString());
      }
    }
  }

  /** The old text or the new one, whenever the power goes. */
  private void write(String name, String text) throws IOException {
    Files.createDirectories(folder);
    Path next = folder.resolve(name + ".next");
    Files.writeString(next, text, StandardCharsets.UTF_8);
    try (FileChannel channel = FileChannel.open(next, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(next, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
