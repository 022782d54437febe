package io.weir.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A gateway with devices in its LAN, and what the kernel says of the traffic between them. */
final class Lab implements AutoCloseable {
  static final Duration SOON = Duration.ofSeconds(30);

  final Gateway gateway;
  private final List<Device> devices;
  private final List<String> complaintsBefore = complaints();

  /** @param settings besides those that a test always wants */
  Lab(String name, Map<String, String> settings, Device... devices) throws Exception {
    this.devices = List.of(devices);
    // A range that gateways of other tests do not use, for the time in which this one is dead.
    int first = 24_000 + (int) (ProcessHandle.current().pid() % 80) * 100;
    Map<String, String> all = new HashMap<>(Map.of("io.weir.pool/calibrate", "false", "io.weir.activator/ports",
        first + "-" + (first + 99), "io.weir.activator/interfaces", Arrays.stream(devices).map(Device::port)
            .collect(Collectors.joining(","))));
    all.putAll(settings);
    this.gateway = Gateway.start(name, all);
    try {
      gateway.importProbe();
    } catch (Exception e) {
      gateway.close();
      throw e;
    }
  }

  /** Declares a probe that sleeps until it is wanted, and returns its port. */
  int deploy(String name, String... more) {
    declare(name, more);
    return port(name);
  }

  void declare(String name, String... more) {
    gateway.deploy("functions:\n  " + name + ":\n    image: localhost/probe:1\n    memory: 32MiB\n    idle: 10m\n"
        + (Arrays.stream(more).anyMatch(line -> line.startsWith("rest:")) ? "" : "    rest: image\n")
        + Arrays.stream(more).map(line -> "    " + line + "\n").collect(Collectors.joining()));
  }

  Map<?, ?> service(String name) {
    return (Map<?, ?>) gateway.json("/api/v1/functions/" + name).get("service");
  }

  /** A function's port, once it is reached there at all of the gateway's addresses. */
  int port(String name) {
    await(name + " is reached").atMost(SOON).until(() -> {
      Map<?, ?> service = service(name);
      boolean reached = service != null && service.get("addresses") != null && service.get("problem") == null;
      for (Device device : devices) {
        reached = reached && has(service, device.gateway()) && has(service, device.gateway6());
      }
      return reached;
    });
    return ((Number) service(name).get("port")).intValue();
  }

  private static boolean has(Map<?, ?> service, String address) throws UnknownHostException {
    InetAddress wanted = InetAddress.getByName(address);
    for (Object each : (List<?>) service.get("addresses")) {
      String host = each.toString().replaceFirst(":\\d+$", "").replaceAll("[\\[\\]]|%.*", "");
      if (InetAddress.getByName(host).equals(wanted)) {
        return true;
      }
    }
    return false;
  }

  /** How often the kernel's programs noted a thing. */
  long note(String word) {
    return ((Number) ((Map<?, ?>) gateway.json("/api/v1/kernel").get("notes")).get(word)).longValue();
  }

  /** What the meter counted of a function. */
  long metered(String function, String what) {
    return gateway.list("/api/v1/traffic", "functions").stream().filter(each -> function.equals(each.get("function")))
        .mapToLong(each -> ((Number) each.get(what)).longValue()).sum();
  }

  void awaitInFlight(String function, long count) {
    await(count + " requests of " + function + " under way").atMost(SOON).until(() -> metered(function, "inFlight") == count);
  }

  /** How many of its latest thousand requests went through the gateway, once all have ended there as they have for clients. */
  int invocations(String function) {
    await("the gateway is done with what clients have").atMost(SOON).until(gateway::carriesNothing);
    return gateway.list("/api/v1/invocations?function=" + function + "&limit=1000", "invocations").size();
  }

  /** Calls until the answer comes straight from an instance, which it does soon after the function woke up. */
  Caller direct(Call call, String function) throws Exception {
    // Before that, the gateway carries connections and does not say that it closes them.
    await("the kernel leads connections").atMost(SOON).until(() -> "ebpf".equals(service(function).get("way")));
    long deadline = System.nanoTime() + SOON.toNanos();
    while (true) {
      Caller caller = call.open();
      if (!caller.get("/").closes()) {
        return caller;
      }
      caller.close();
      assertThat(System.nanoTime()).as("connections to " + function + " go through the gateway").isLessThan(deadline);
    }
  }

  /** Somebody's way to a service. */
  interface Call {
    Caller open() throws Exception;
  }

  String idOf(String host) {
    return gateway.list("/api/v1/instances", "instances").stream().map(each -> each.get("id").toString())
        .filter(id -> id.startsWith(host)).findFirst().orElseThrow(() -> new AssertionError("no instance " + host));
  }

  /** What the kernel warned of; others may use it too, so only what nothing should cause. */
  private static List<String> complaints() throws Exception {
    return Gateway.exec("dmesg").lines().filter(line -> line.matches(
        ".*(WARNING:|BUG:|Oops|csum failure|unregister_netdevice: waiting).*")).toList();
  }

  @Override
  public void close() throws Exception {
    List<Throwable> failures = new ArrayList<>();
    for (AutoCloseable each : closing()) {
      try {
        each.close();
      } catch (Throwable e) {
        failures.add(e);
      }
    }
    assertThat(failures).isEmpty();
    assertThat(complaints().stream().filter(line -> !complaintsBefore.contains(line))).as("warnings of the kernel").isEmpty();
  }

  private List<AutoCloseable> closing() {
    List<AutoCloseable> all = new ArrayList<>(List.of(gateway));
    all.addAll(devices);
    return all;
  }
}
