package io.weir.bench;

import io.weir.itest.Gateway;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What it costs to reach a function from a device in the LAN: by Weir's route in the kernel, metered, against Podman's
 * published port, and against the proxies that are usually put there.
 *
 * <p>The function is a C program of 30 kB that knows nothing but HTTP, so that what is measured is the way to it. Load
 * generator on processor 0, everything else on processor 1. Every round measures every way, in another order.
 */
final class Ways {
  private static final String NAME = "path";
  private static final int RATE = 4000;

  private final Report report;
  private final boolean quick;
  private final int rounds;
  /** Per way: rps, p50, CPU with kept connections; CPU with new ones; p50 at a fixed rate. */
  private final Map<String, double[][]> figures = new LinkedHashMap<>();

  /** From the gateway to the function: CPU with the shortcut, and by TCP. */
  private final double[][] local;

  /** A way to the function; {@code processes} are all that take part, the function's included. */
  private record Way(String name, String host, int port, List<Long> processes) {
    String url() {
      return "http://" + host + ":" + port + "/";
    }
  }

  Ways(Report report, boolean quick) {
    this.report = report;
    this.quick = quick;
    this.rounds = quick ? 2 : 7;
    this.local = new double[2][rounds];
  }

  void run() throws Exception {
    try (Device device = new Device();
        Gateway ebpf = Gateway.start("bench-ebpf", settings(device, "ebpf", true));
        Gateway nft = Gateway.start("bench-nft", settings(device, "nft", false));
        Gateway proxy = Gateway.start("bench-proxy", settings(device, "proxy", false));
        BarePodman podman = new BarePodman(ebpf);
        Sidecars sidecars = new Sidecars()) {
      Way route = weir("weir", "ebpf", ebpf, List.of());
      InetSocketAddress function = address(ebpf);
      List<Long> functionOnly = route.processes();
      BarePodman.Container published = podman.published(Baseline.PROBE, Device.GATEWAY);
      BarePodman.Container direct = podman.created(Baseline.PROBE);
      podman.start(direct);
      List<Way> ways = new ArrayList<>(List.of(route,
          new Way("direct", direct.namespace().function().getHostString(), direct.namespace().function().getPort(),
              Cpu.processes(podman.id(direct))),
          new Way("podman", Device.GATEWAY, published.namespace().function().getPort(), Cpu.processes(podman.id(published))),
          weir("nft", "nft", nft, List.of()),
          weir("java", "proxy", proxy, List.of(proxy.pid()))));
      for (Sidecars.Sidecar sidecar : sidecars.start(Device.GATEWAY, function)) {
        List<Long> processes = new ArrayList<>(functionOnly);
        processes.addAll(sidecar.processes());
        ways.add(new Way(sidecar.name(), Device.GATEWAY, sidecar.port(), processes));
      }
      Loads loads = new Loads(device::exec);
      for (Way way : ways) {
        Cpu.pin(Loads.SERVER, way.processes());
        figures.put(way.name(), new double[5][rounds]);
        loads.keepAlive(way.url(), way.processes(), way.name().equals("java") ? 5 : 1);
      }
      Way[] locals = {local(ebpf, route), local(proxy, ways.get(4))};
      Loads here = new Loads(Gateway::exec);
      for (int round = 0; round < rounds; round++) {
        for (int way = 0; way < locals.length; way++) {
          local[way][round] = here.keepAlive(locals[way].url(), locals[way].processes(), quick ? 1 : 2).cpu();
        }
        for (int i = 0; i < ways.size(); i++) {
          measure(ways.get((i + round) % ways.size()), loads, round);
        }
      }
    }
    compare();
    report.add("local_cpu", "s", local[0], "CPU-s/100k requests, plain TCP", local[1], Report.Target.atMostTimes(0.7));
  }

  private void measure(Way way, Loads loads, int round) throws Exception {
    double[][] mine = figures.get(way.name());
    Loads.Result kept = loads.keepAlive(way.url(), way.processes(), quick ? 1 : 2);
    mine[0][round] = kept.perSecond();
    mine[1][round] = kept.p50();
    mine[2][round] = kept.cpu();
    mine[3][round] = loads.newConnections(way.url(), way.processes(), quick ? 2000 : 6000).cpu();
    mine[4][round] = loads.paced(way.host(), way.port(), RATE, 1)[0];
  }

  private void compare() {
    double[][] weir = figures.get("weir");
    double[][] podman = figures.get("podman");
    report.add("route_cpu", "s", weir[2], "CPU-s/100k requests, Podman's published port", podman[2],
        Report.Target.atMostTimes(0.95));
    report.add("route_p50", "us", weir[4], "us at " + RATE + "/s, Podman's published port", podman[4]);
    report.add("route_rps", "1/s", weir[0], "1/s, Podman's published port", podman[0]);
    report.add("route_connect_cpu", "s", weir[3], "CPU-s/100k connections, Podman's published port", podman[3]);
    for (String other : figures.keySet()) {
      if (!List.of("weir", "podman").contains(other)) {
        report.add("route_cpu/" + other, "s", weir[2], "CPU-s/100k requests, " + words(other), figures.get(other)[2]);
        report.add("route_p50/" + other, "us", weir[4], "us at " + RATE + "/s, " + words(other), figures.get(other)[4]);
      }
    }
  }

  private static String words(String way) {
    return switch (way) {
      case "direct" -> "a container's own address, routed, not metered";
      case "nft" -> "Weir without eBPF: a DNAT map of nftables";
      case "java" -> "Weir without the kernel: its Java proxy";
      default -> way;
    };
  }

  private static Map<String, String> settings(Device device, String way, boolean shortcut) {
    return Map.of("io.weir.pool/calibrate", "false", "io.weir.kernel/way", way, "io.weir.kernel/shortcut",
        shortcut ? "all" : "none", "io.weir.activator/interfaces", device.port());
  }

  private static Way weir(String name, String way, Gateway gateway, List<Long> gatewayProcesses) throws Exception {
    gateway.importProbe();
    gateway.deploy(Baseline.function(NAME, "concurrency: 1000\n    rest: running"));
    gateway.post("/function/" + NAME + "/", "");
    List<Long> processes = new ArrayList<>(Cpu.processes(String.valueOf(gateway.instancesOf(NAME).get(0).get("id"))));
    processes.addAll(gatewayProcesses);
    return new Way(name, Device.GATEWAY, Functions.awaitWay(gateway, NAME, way), processes);
  }

  /** From this machine to the instance, as the gateway itself goes. */
  private static Way local(Gateway gateway, Way any) {
    InetSocketAddress address = address(gateway);
    return new Way(any.name(), address.getHostString(), address.getPort(), any.processes());
  }

  private static InetSocketAddress address(Gateway gateway) {
    String[] address = String.valueOf(gateway.instancesOf(NAME).get(0).get("address")).split(":");
    return new InetSocketAddress(address[0], Integer.parseInt(address[1]));
  }
}
