package io.weir.deploy.internal;

import io.weir.engine.ContainerEngine;
import io.weir.engine.EngineException;
import io.weir.function.FunctionRegistry;
import io.weir.function.Source;
import io.weir.weirpkg.ImageArchive;
import java.io.IOException;
import java.io.InputStream;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The images of packages: loaded when they are needed, removed when no function is of them any more. */
final class Images {
  private static final Logger log = LoggerFactory.getLogger(Images.class);

  private final ContainerEngine engine;
  private final FunctionRegistry registry;
  private final Books books;

  Images(ContainerEngine engine, FunctionRegistry registry, Books books) {
    this.engine = engine;
    this.registry = registry;
    this.books = books;
  }

  boolean isHere(String reference) {
    return engine.imageId(reference).isPresent();
  }

  /** @throws EngineException if it cannot be loaded */
  void load(String reference, ImageArchive archive) throws IOException {
    if (isHere(reference)) {
      return;
    }
    books.loading(reference);
    try (InputStream named = archive.named(reference)) {
      engine.load(named);
    }
    if (!isHere(reference)) {
      throw new EngineException(EngineException.Code.FAILED, "the engine loaded the archive, but there is no image "
          + reference + " now; write the archive with 'podman save' or 'weir image save'");
    }
  }

  /** Removes what no function is of; false if something has to be tried again, because a container still is. */
  boolean sweep() {
    Set<String> used = registry.functions().stream().map(spec -> spec.source().toString()).collect(Collectors.toSet());
    boolean done = true;
    for (String image : books.images()) {
      if (!used.contains(image)) {
        try {
          engine.removeImage(image);
          books.unloaded(image);
        } catch (EngineException e) {
          log.debug("{} cannot be removed now", image, e);
          done = false;
        }
      }
    }
    return done;
  }

  /** The image of a function that has one. */
  static java.util.Optional<String> of(Source source) {
    return source instanceof Source.Image image ? java.util.Optional.of(image.reference()) : java.util.Optional.empty();
  }
}
