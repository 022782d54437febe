package io.weir.itest;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Kills what belongs to one gateway, by a seed. Kills by pid, and only what is in that gateway's cgroups and folders. */
final class ChaosAgent {
  private static final int LONGEST_PAUSE_MILLIS = 2_500;
  private static final long BETWEEN_GATEWAYS = TimeUnit.SECONDS.toNanos(30);
  private static final List<String> RUNGS = List.of("image", "created", "armed", "frozen", "running");

  private final Gateway gateway;
  private final Downtimes downtimes;
  private final List<String> functions;
  private final Random random;
  private final Map<String, Integer> done = new TreeMap<>();
  private long gatewayKilledAt = System.nanoTime() - BETWEEN_GATEWAYS / 2;

  ChaosAgent(Gateway gateway, Downtimes downtimes, List<String> functions, long seed) {
    this.gateway = gateway;
    this.downtimes = downtimes;
    this.functions = functions;
    this.random = new Random(seed);
  }

  void rageUntil(long deadlineNanos) throws Exception {
    while (System.nanoTime() < deadlineNanos) {
      TimeUnit.MILLISECONDS.sleep(100 + random.nextInt(LONGEST_PAUSE_MILLIS));
      if (System.nanoTime() - gatewayKilledAt > BETWEEN_GATEWAYS) {
        gateway();
      } else {
        act(random.nextInt(100));
      }
    }
  }

  private void act(int chance) {
    if (chance < 40) {
      instance();
    } else if (chance < 52) {
      conmon(false);
    } else if (chance < 62) {
      conmon(true);
    } else if (chance < 72) {
      service("podman.sock", "Podman service");
    } else if (chance < 77) {
      service("images.sock", "image service");
    } else {
      rung();
    }
  }

  private void instance() {
    victim().ifPresent(id -> killed("instance", kill(id)));
  }

  private void conmon(boolean withInstance) {
    victim().ifPresent(id -> {
      List<ProcessHandle> conmons = gateway.containers().conmons(id);
      conmons.forEach(ChaosAgent::end);
      if (withInstance) {
        killed("conmon, then its instance", kill(id));
      } else {
        killed("conmon", !conmons.isEmpty());
      }
    });
  }

  private Optional<String> victim() {
    List<String> all = List.copyOf(gateway.containers().ids());
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
  }

  private boolean kill(String id) {
    boolean any = false;
    for (long pid : gateway.containers().processes(id)) {
      Optional<ProcessHandle> process = ProcessHandle.of(pid);
      process.ifPresent(ChaosAgent::end);
      any |= process.isPresent();
    }
    return any;
  }

  private void service(String socket, String what) {
    gateway.processes().stream().filter(line -> line.contains("system service") && line.contains("/" + socket + " "))
        .map(line -> Long.parseLong(line.split(" ")[0])).flatMap(pid -> ProcessHandle.of(pid).stream())
        .forEach(process -> {
          end(process);
          killed(what, true);
        });
  }

  private void gateway() throws Exception {
    downtimes.begin();
    gateway.killAndRestart();
    downtimes.end();
    gatewayKilledAt = System.nanoTime();
    killed("gateway", true);
  }

  /** Nobody waits for it: being called meanwhile, it may never get there. */
  private void rung() {
    String function = functions.get(random.nextInt(functions.size()));
    String rung = RUNGS.get(random.nextInt(RUNGS.size()));
    gateway.client().sendAsync(gateway.request("/api/v1/functions/" + function + "/rung")
        .header("Content-Type", "application/json").PUT(HttpRequest.BodyPublishers.ofString("{\"rung\":\"" + rung + "\"}"))
        .build(), HttpResponse.BodyHandlers.discarding());
    killed("moved to a rung", true);
  }

  private static void end(ProcessHandle process) {
    process.destroyForcibly();
  }

  private void killed(String what, boolean really) {
    if (really) {
      done.merge(what, 1, Integer::sum);
    }
  }

  @Override
  public String toString() {
    return done.toString();
  }
}
