package io.weir.telemetry.internal;

import io.weir.event.GatewayIdentity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Objects;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;

/** The gateway's identity, kept in a file of its data folder. */
@Component(name = "io.weir.telemetry.identity", configurationPolicy = ConfigurationPolicy.IGNORE, immediate = true)
public final class KeptIdentity implements GatewayIdentity {
  private static final int BYTES = 6;

  private final String id;

  @Activate
  public KeptIdentity(BundleContext context) {
    this(Path.of(Objects.requireNonNullElse(context.getProperty("weir.data"), "/var/lib/weir")));
  }

  KeptIdentity(Path data) {
    Path file = data.resolve("gateway.id");
    try {
      if (!Files.exists(file)) {
        make(file);
      }
      this.id = Files.readString(file, StandardCharsets.US_ASCII).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read or write " + file + ": " + e.getMessage(), e);
    }
    if (!id.matches("[0-9a-f]{12}")) {
      throw new IllegalStateException(file + " must hold 12 hex digits but holds '" + id
          + "'; restore it, or delete it for a new identity that knows nothing of earlier instances and sessions");
    }
  }

  /** Whole or not at all: a power cut must not leave half an identity. */
  private static void make(Path file) throws IOException {
    byte[] random = new byte[BYTES];
    new SecureRandom().nextBytes(random);
    Files.createDirectories(file.getParent());
    Path part = Files.createTempFile(file.getParent(), "gateway.id", ".part");
    Files.writeString(part, HexFormat.of().formatHex(random) + "\n", StandardCharsets.US_ASCII);
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public String id() {
    return id;
  }
}
