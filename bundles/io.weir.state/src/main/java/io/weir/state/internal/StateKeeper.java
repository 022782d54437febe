package io.weir.state.internal;

import io.weir.engine.InstanceEnvironment;
import io.weir.event.Part;
import io.weir.function.FunctionName;
import io.weir.invocation.InvocationJournal;
import io.weir.invocation.StateAttempts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leads functions to their state. Address and secret are the same over restarts, because instances outlive the gateway.
 * It has no configuration, so that it is there before any instance.
 */
@Component(name = "io.weir.state", configurationPolicy = ConfigurationPolicy.IGNORE, immediate = true,
    service = {InstanceEnvironment.class, StateAttempts.class, Part.class})
public final class StateKeeper implements InstanceEnvironment, StateAttempts, Part {
  private static final Logger LOG = LoggerFactory.getLogger(StateKeeper.class);
  static final String URL = "WEIR_STATE_URL";
  static final String TOKEN = "WEIR_STATE_TOKEN";
  /** Below what the kernel gives to clients, who would take it from us at a restart. */
  private static final int FIRST_PORT = 7390;
  private static final int PORTS = 64;

  private final Path portFile;
  private final Tokens tokens;
  private final Books books;
  private final Loop loop;
  /** Set by the framework as it comes and goes. */
  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile @Nullable InvocationJournal journal;
  private volatile @Nullable InetSocketAddress listening;
  private volatile String trouble = "";

  @Activate
  public StateKeeper(BundleContext context) throws IOException {
    this(directory(context));
  }

  private static Path directory(BundleContext context) {
    String configured = context.getProperty("weir.data");
    return Path.of(configured == null || configured.isBlank() ? "/var/lib/weir" : configured);
  }

  StateKeeper(Path data) throws IOException {
    this.portFile = data.resolve("state.port");
    this.tokens = Tokens.keptIn(data.resolve("state.secret"));
    this.books = new Books(Long.toString(new SecureRandom().nextLong() & Long.MAX_VALUE, 36) + "-");
    this.loop = new Loop(self -> new StateService(books, tokens, () -> journal, self));
  }

  void journal(@Nullable InvocationJournal now) {
    journal = now;
  }

  // --- what instances find -------------------------------------------------------------------------------------------

  @Override
  public Map<String, String> of(FunctionName function, Optional<InetAddress> gateway) {
    Optional<InetSocketAddress> there = gateway.flatMap(this::listenAt);
    return there.isEmpty() ? Map.of() : Map.of(
        URL, "http://" + there.get().getAddress().getHostAddress() + ":" + there.get().getPort() + StateService.ROOT,
        TOKEN, tokens.of(function));
  }

  private synchronized Optional<InetSocketAddress> listenAt(InetAddress gateway) {
    InetSocketAddress now = listening;
    if (now != null && now.getAddress().equals(gateway)) {
      return Optional.of(now);
    }
    int kept = keptPort();
    IOException why = null;
    for (int i = 0; i < PORTS; i++) {
      InetSocketAddress wanted = new InetSocketAddress(gateway, i == 0 ? kept : FIRST_PORT + i - 1);
      try {
        loop.listen(wanted);
      } catch (IOException e) {
        why = e;
        continue;
      }
      if (wanted.getPort() != kept) {
        keep(wanted.getPort());
      }
      listening = wanted;
      trouble = "";
      LOG.info("functions reach their state at {}", wanted);
      return Optional.of(wanted);
    }
    if (trouble.isEmpty()) {
      LOG.error("functions cannot reach their state: no port of {} from {} on is free", gateway, FIRST_PORT, why);
    }
    trouble = "no port of " + gateway.getHostAddress() + " can be listened at: " + why;
    return Optional.empty();
  }

  private int keptPort() {
    try {
      int port = Files.exists(portFile) ? Integer.parseInt(Files.readString(portFile).strip()) : FIRST_PORT;
      return port > 0 && port < 65_536 ? port : FIRST_PORT;
    } catch (IOException | NumberFormatException e) {
      LOG.warn("{} cannot be read; instances of before may not reach their state", portFile, e);
      return FIRST_PORT;
    }
  }

  private void keep(int port) {
    try {
      Path part = Files.createTempFile(portFile.getParent(), "state.port", ".part");
      Files.writeString(part, port + "\n");
      Files.move(part, portFile, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + portFile + ": " + e.getMessage(), e);
    }
  }

  // --- attempts ------------------------------------------------------------------------------------------------------

  @Override
  public Attempt begin(FunctionName function, String event) {
    return books.begin(function, event);
  }

  // --- what operators see --------------------------------------------------------------------------------------------

  @Override
  public String name() {
    return "state";
  }

  @Override
  public boolean ready() {
    return true;
  }

  @Override
  public String state() {
    InetSocketAddress now = listening;
    return !trouble.isEmpty() ? trouble : now == null ? "no function has asked for it"
        : "at " + now.getAddress().getHostAddress() + ":" + now.getPort() + "; " + books.inWork() + " attempts in work";
  }

  @Deactivate
  void close() {
    books.close();
    loop.close();
  }
}
