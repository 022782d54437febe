package io.weir.broker.internal;

import io.weir.child.SupervisedProcess;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Mosquitto of this gateway: started once its port is free, started again when it dies, ended with the gateway. */
final class BrokerChild implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerChild.class);
  private static final Path SETPRIV = Path.of("/usr/bin/setpriv");
  private static final Duration GRACE = Duration.ofSeconds(10);
  private static final Duration PORT_RETRY = Duration.ofMillis(500);
  private static final Duration LISTEN_RETRY = Duration.ofMillis(10);
  private static final int CONNECT_MILLIS = 1000;
  /** Exit codes from here on are signals. */
  private static final int KILLED = 128;
  /** Starts that may fail before the saved sessions are suspected. */
  private static final int TOLERATED = 3;

  /** Hears whether the broker does its work, and what there is to know. Called on the supervising threads. */
  interface Listener {
    void changed(boolean ready, String state);
  }

  private final Settings settings;
  private final BrokerFiles files;
  private final String gatewayPassword;
  private final Executable.Sources sources;
  private final Listener listener;
  private final SupervisedProcess process;
  private @Nullable Executable executable;  // of the supervising thread
  private int failures;  // of the supervising thread
  private volatile boolean wasReady;
  private volatile long pid;
  private volatile boolean closing;

  BrokerChild(Settings settings, BrokerFiles files, String gatewayPassword, Executable.Sources sources,
      Listener listener) {
    this.settings = settings;
    this.files = files;
    this.gatewayPassword = gatewayPassword;
    this.sources = sources;
    this.listener = listener;
    this.process = new SupervisedProcess("broker", this::prepare, new Supervision(), GRACE);
  }

  private ProcessBuilder prepare() throws IOException {
    try {
      files.makeDirectory();
      StaleBroker.end(files);
      if (executable == null) {
        executable = Executable.find(settings.executable(), sources);
      }
      awaitFreePort();
      Optional<Account> account = Account.forBroker();
      files.write(settings, gatewayPassword, account);
      return new ProcessBuilder(command(executable, account)).directory(files.directory().toFile())
          .redirectErrorStream(true);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("stopped while preparing the broker");
    } catch (IOException e) {
      listener.changed(false, "cannot start: " + e.getMessage());
      throw e;
    }
  }

  /**
   * Mosquitto would drop root's rights itself, but the kernel then forgets that it shall die with its parent; so the
   * account is changed first, and the wish to die renewed.
   */
  private List<String> command(Executable program, Optional<Account> account) {
    List<String> command = new ArrayList<>();
    if (account.isPresent() && Files.isExecutable(SETPRIV)) {
      command.addAll(List.of(SETPRIV.toString(), "--reuid", Integer.toString(account.get().uid()), "--regid",
          Integer.toString(account.get().gid()), "--clear-groups", "--pdeathsig", "TERM"));
      // A gateway with a user of its own has capabilities which outlive a change of user.
      String kept = settings.port() < 1024 ? "-all,+net_bind_service" : "-all";
      command.addAll(List.of("--inh-caps", kept, "--ambient-caps", kept));
      command.add("--");
    }
    boolean here = program.program().startsWith(files.directory());
    command.add(here ? "./" + program.program().getFileName() : program.program().toString());
    command.addAll(List.of("-c", BrokerFiles.CONFIGURATION));
    return command;
  }

  private void awaitFreePort() throws InterruptedException {
    String told = "";
    while (PortOwner.isTaken(settings.host(), settings.port())) {
      Optional<PortOwner.Owner> holder = PortOwner.find(settings.host(), settings.port());
      String owner = holder.map(it -> it + (it.pid() == ProcessHandle.current().pid() ? ", which is this very process; in "
          + "Eclipse Kura that is its 'Simple Artemis MQTT Broker'" : "")).orElse("a process of another user");
      if (!owner.equals(told)) {
        told = owner;
        String problem = "port " + settings.port() + " is taken by " + owner;
        String mend = "Stop that broker, or set another 'port' in " + MosquittoBroker.PID + "; or set 'url' there to tcp://127.0.0.1:"
            + settings.port() + " to use it as the gateway's broker";
        LOG.error("The broker cannot start: {}. {}. Trying again until the port is free.", problem, mend);
        listener.changed(false, problem + ". " + mend);
      }
      Thread.sleep(PORT_RETRY.toMillis());
    }
  }

  @Override
  public void close() {
    closing = true;
    process.close();
    try {
      Files.deleteIfExists(files.pidFile());
    } catch (IOException e) {
      LOG.debug("{} stays behind; it is checked before it is believed", files.pidFile(), e);
    }
  }

  private final class Supervision implements SupervisedProcess.Listener {
    @Override
    public void output(InputStream stream) {
      BrokerLog.follow(stream);
    }

    @Override
    public void started(long started, boolean again) {
      wasReady = false;
      pid = started;
      try {
        Files.writeString(files.pidFile(), started + "\n");
      } catch (IOException e) {
        LOG.warn("{} cannot be written; a broker left behind by a killed gateway would not be found",
            files.pidFile(), e);
      }
      Thread thread = new Thread(() -> awaitListening(started, again), "weir-broker-start");
      thread.setDaemon(true);
      thread.start();
    }

    @Override
    public void died(int exitCode, Duration delay) {
      pid = 0;
      failures = exitCode > 0 && exitCode < KILLED && !wasReady ? failures + 1 : 0;
      if (failures == TOLERATED) {
        setDataAside();
      }
      if (exitCode >= 0) {
        listener.changed(false, "ended with exit code " + exitCode + ", starting again");
      }
    }
  }

  /** A broker that does not start any more is worse than one without memory; a torn file is the usual reason. */
  private void setDataAside() {
    try {
      Optional<Path> aside = files.setDataAside();
      aside.ifPresent(path -> LOG.error("The broker does not start. Its saved sessions and messages may be damaged and "
          + "were moved to {}; it starts without them.", path));
    } catch (IOException e) {
      LOG.error("The broker does not start, and its saved sessions cannot be moved away from {}", files.directory(), e);
    }
  }

  /** Ready is who accepts a connection, if it is our child and no other that was quicker. */
  private void awaitListening(long started, boolean again) {
    while (!closing && pid == started) {
      if (accepts() && pid == started) {
        wasReady = true;
        Executable running = executable;
        String version = running == null ? "" : " " + running.version() + (running.bundled() ? "" : " of the system");
        listener.changed(true, (again ? "restarted" : "running") + ", mosquitto" + version + ", pid " + started);
        return;
      }
      try {
        Thread.sleep(LISTEN_RETRY.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private boolean accepts() {
    // The port was free when the child was started, so an owner whom /proc does not show is taken for it.
    if (!PortOwner.isTaken(settings.host(), settings.port())
        || PortOwner.find(settings.host(), settings.port()).filter(owner -> owner.pid() != pid).isPresent()) {
      return false;
    }
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(settings.host().isAnyLocalAddress()
          ? java.net.InetAddress.getLoopbackAddress() : settings.host(), settings.port()), CONNECT_MILLIS);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
