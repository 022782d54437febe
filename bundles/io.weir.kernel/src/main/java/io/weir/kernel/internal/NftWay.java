package io.weir.kernel.internal;

import io.weir.kernel.Routes;
import io.weir.kernel.Routes.Admission;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Service addresses by DNAT. The program nft takes milliseconds, so it runs on a thread of its own, and what changes
 * within a moment goes to it together. Established connections live in conntrack and survive every change.
 */
final class NftWay implements RouteWay {
  private static final Logger LOG = LoggerFactory.getLogger(NftWay.class);
  private static final long TOGETHER_MILLIS = 10;
  private static final long CLOSE_SECONDS = 10;
  private static final Path FORWARDING = Path.of("/proc/sys/net/ipv4/ip_forward");
  private static final Path FORWARDING_SIX = Path.of("/proc/sys/net/ipv6/conf/all/forwarding");

  private final Program nft;
  private final Optional<Program> conntrack;
  private final List<NftScript> families;
  private final ScheduledThreadPoolExecutor worker;
  private final Map<Integer, Served> services = new TreeMap<>();
  /** Ports whose service came, went or changed in more than its targets, and such as have other targets only. */
  private final Set<Integer> changed = new LinkedHashSet<>();
  private final Set<Integer> retargeted = new LinkedHashSet<>();
  /** What stands in the tables. On the worker only. */
  private Map<Integer, Admission> applied = Map.of();
  private final List<Instance> gone = new ArrayList<>();
  private Set<InetAddress> addresses = Set.of();
  private boolean moved;
  /** The tables are not there, or nobody knows what is in them. */
  private boolean rebuild = true;
  private boolean failed;

  /** @param hash tells this gateway's things from those of others */
  NftWay(Program nft, Optional<Program> conntrack, String hash) {
    this.nft = nft;
    this.conntrack = conntrack;
    this.families = List.of(new NftScript(false, "weir-svc-" + hash, "weir-" + hash),
        new NftScript(true, "weir-svc-" + hash, "weir-" + hash));
    this.worker = new ScheduledThreadPoolExecutor(1, task -> {
      Thread thread = new Thread(task, "weir-kernel-nft");
      thread.setDaemon(true);
      return thread;
    });
    worker.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /** Those of an earlier life that went another way. */
  static void removeTables(String hash) {
    Program.find("nft").ifPresent(nft -> {
      try {
        for (boolean six : new boolean[] {false, true}) {
          nft.run(new NftScript(six, "weir-svc-" + hash, "").remove(), "-f", "-");
        }
      } catch (IOException e) {
        LOG.debug("there was none", e);
      }
    });
  }

  @Override
  public Routes.Way way() {
    return Routes.Way.NFT;
  }

  @Override
  public synchronized void reachableAt(Set<InetAddress> all) {
    if (!all.equals(addresses)) {
      addresses = Set.copyOf(all);
      moved = true;
      soon();
    }
  }

  @Override
  public synchronized void declare(Served service) {
    services.put(service.port(), service);
    changed.add(service.port());
    soon();
  }

  @Override
  public synchronized void withdraw(Served service) {
    services.remove(service.port());
    changed.add(service.port());
    soon();
  }

  @Override
  public synchronized void retarget(Served service) {
    services.put(service.port(), service);
    retargeted.add(service.port());
    soon();
  }

  @Override
  public boolean seesLoads() {
    return false;
  }

  /** Each service needs its own: the packet filter knows nothing of instances that are missing. */
  @Override
  public boolean holdAt(int listener) {
    return false;
  }

  @Override
  public synchronized void left(Seat seat) {
    gone.add(seat.instance);
    soon();
  }

  private void soon() {
    if (worker.getQueue().isEmpty()) {
      try {
        worker.schedule(this::apply, TOGETHER_MILLIS, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("closed: the tables go anyway");
      }
    }
  }

  private void apply() {
    StringBuilder script = new StringBuilder();
    List<Instance> dead;
    Map<Integer, Admission> next = new HashMap<>();
    synchronized (this) {
      for (NftScript family : families) {
        if (rebuild) {
          script.append(family.all(addresses, services.values().stream().map(each -> reachable(each, family)).toList()));
        } else {
          changes(family).forEach(line -> script.append(line).append('\n'));
        }
      }
      services.forEach((port, service) -> next.put(port, service.admission()));
      rebuild = false;
      moved = false;
      changed.clear();
      retargeted.clear();
      dead = List.copyOf(gone);
      gone.clear();
    }
    if (tell(script.toString())) {
      applied = next;
    }
    dead.forEach(this::reset);
  }

  /** Not all of it: what the packet filter remembers of the clients of services that stay is worth keeping. */
  private List<String> changes(NftScript family) {
    List<String> lines = new ArrayList<>();
    if (moved) {
      lines.addAll(family.addresses(addresses));
    }
    for (int port : changed) {
      Served service = services.get(port);
      Admission before = applied.get(port);
      if (service != null) {
        lines.addAll(family.declare(reachable(service, family), before));
      } else if (before != null) {
        lines.addAll(family.withdraw(port, before));
      }
    }
    for (int port : retargeted) {
      Served service = services.get(port);
      if (service != null && !changed.contains(port)) {
        lines.addAll(family.retarget(reachable(service, family)));
      }
    }
    return lines;
  }

  /**
   * Without its instances where this host does not pass IPv6 on; the gateway then proxies such clients. To turn that on is
   * not ours: the host would no longer listen to its routers.
   */
  private static Served reachable(Served service, NftScript family) {
    return !family.six() || on(FORWARDING_SIX) ? service
        : new Served(service.function(), service.index(), service.port(), service.admission(), List.of());
  }

  private static boolean on(Path setting) {
    try {
      return !Files.readString(setting).strip().equals("0");
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether it stands in the tables now. */
  private boolean tell(String script) {
    if (script.isEmpty()) {
      return true;
    }
    try {
      nft.run(script, "-f", "-");
      if (!on(FORWARDING)) {
        Files.writeString(FORWARDING, "1");
      }
      failed = false;
      return true;
    } catch (IOException e) {
      if (!failed) {
        LOG.warn("services are reached through the gateway only: {}", e.getMessage(), e);
      }
      failed = true;
      synchronized (this) {
        rebuild = true;
      }
      return false;
    }
  }

  /** Without its entry in conntrack a connection's next packet finds nobody, and is answered by a reset. */
  private void reset(Instance instance) {
    if (conntrack.isEmpty()) {
      return;
    }
    for (byte[] address : List.of(instance.address4(), instance.address6())) {
      try {
        if (!Arrays.equals(address, new byte[Layout.ADDRESS])) {
          InetAddress there = InetAddress.getByAddress(address);
          conntrack.get().run("", "-D", "-f", families.get(0).isMine(there) ? "ipv4" : "ipv6", "-p", "tcp", "--reply-src",
              NftScript.text(there));
        }
      } catch (UnknownHostException e) {
        throw new IllegalStateException(e);
      } catch (IOException e) {
        LOG.debug("it had no connections", e);
      }
    }
  }

  @Override
  public void close() {
    worker.shutdown();
    try {
      if (!worker.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("nft is still busy");
      }
      for (NftScript family : families) {
        nft.run(family.remove(), "-f", "-");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      LOG.warn("the packet filter table {} is left: {}", families.get(0).table(), e.getMessage());
    }
  }
}
