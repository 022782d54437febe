package io.weir.kernel.internal;

import io.weir.kernel.internal.Ebpf.Loaded;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.IntConsumer;

/** Chooses the way to instances: what is wanted, as far as this host does it. */
final class WayFinder {

  private final Ebpf ebpf;
  private final Programs programs;
  private final PinDirectory pins;
  private final Maps maps;
  private final Features features;
  private final String hash;
  private final Once once;
  private final IntConsumer reachable;

  /** @param reachable told of interfaces behind which packets can be led to instances from now on */
  WayFinder(Ebpf ebpf, Programs programs, PinDirectory pins, Maps maps, Features features, String hash, Once once,
      IntConsumer reachable) {
    this.ebpf = ebpf;
    this.programs = programs;
    this.pins = pins;
    this.maps = maps;
    this.features = features;
    this.hash = hash;
    this.once = once;
    this.reachable = reachable;
  }

  /** Empty if the gateway proxies everything. */
  Optional<RouteWay> find(Settings.Way wanted, Path functions) {
    if (wanted == Settings.Way.PROXY) {
      for (String feature : new String[] {Features.ROUTE, Features.LOCAL, Features.WAKE}) {
        features.off(feature, "way=proxy in " + KernelConfig.PID);
      }
      return Optional.empty();
    }
    Optional<Loaded> local = local(functions);
    Optional<Loaded> route = wanted == Settings.Way.NFT ? Optional.empty() : route(functions);
    if (route.isEmpty() && wanted != Settings.Way.EBPF) {
      Optional<RouteWay> nft = nft(local.isPresent());
      if (nft.isPresent()) {
        return nft;
      }
    }
    if (route.isEmpty() && local.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new ServiceMaps(maps, route.map(this::packets), wake(functions)));
  }

  private PacketWay packets(Loaded object) {
    Ingress ingress = new Ingress(ebpf, object, pins, how -> features.on(Features.ROUTE, how));
    return new PacketWay(ingress, new Interfaces(ingress.hook("weir_route_in", "route-in-")),
        new HostEnds(ingress.hook("weir_route_out", "route-out-"), once, reachable));
  }

  private Optional<Loaded> route(Path functions) {
    if (!programs.hasTrafficControl(functions)) {
      features.off(Features.ROUTE, "this kernel has neither tcx (from 6.6) nor clsact (NET_CLS_BPF, NET_SCH_INGRESS)");
      return Optional.empty();
    }
    Optional<Loaded> object = programs.load(Features.ROUTE, functions);
    object.ifPresent(loaded -> {
      configure();
      features.on(Features.ROUTE, "traffic control, once there is an interface");
    });
    return object;
  }

  private Optional<Loaded> local(Path functions) {
    Optional<Path> root = Mounts.cgroup2();
    if (root.isEmpty()) {
      features.off(Features.LOCAL, "this host has no cgroup v2");
      return Optional.empty();
    }
    Optional<Loaded> object = programs.load(Features.LOCAL, functions);
    if (object.isEmpty()) {
      return object;
    }
    configure();
    CgroupHooks hooks = new CgroupHooks(ebpf, pins);
    hooks.add(Features.LOCAL, object.get(), CgroupHooks.LOCAL);
    boolean[] attached = new boolean[1];
    hooks.attach(root.get(), new CgroupHooks.Outcome() {
      @Override
      public void attached(String feature) {
        features.on(feature, "connect() in " + root.get());
        attached[0] = true;
      }

      @Override
      public void refused(String feature, KernelError error) {
        programs.refused(feature, functions, error);
      }
    });
    return attached[0] ? object : Optional.empty();
  }

  /** Whose connect() is looked at: processes in this network namespace. */
  private void configure() {
    maps.put("config", Layout.number(0), Layout.config(ebpf.ownNetnsCookie()));
  }

  private boolean wake(Path functions) {
    Optional<Loaded> object = programs.load(Features.WAKE, functions);
    if (object.isEmpty()) {
      return false;
    }
    try {
      ebpf.attachNetns(object.get(), "weir_wake", pins.path(), "wake");
      features.on(Features.WAKE, "sk_lookup");
      return true;
    } catch (KernelError e) {
      programs.refused(Features.WAKE, functions, e);
      return false;
    }
  }

  private Optional<RouteWay> nft(boolean local) {
    Optional<Program> nft = Program.find("nft");
    if (nft.isEmpty()) {
      features.off(Features.ROUTE, "the program nft is missing: apt install nftables");
      return Optional.empty();
    }
    features.on(Features.ROUTE, "nftables");
    features.off(Features.WAKE, "not with nftables");
    NftWay way = new NftWay(nft.get(), Program.find("conntrack"), hash);
    return Optional.of(local ? new BothWays(way, new ServiceMaps(maps, Optional.empty(), false)) : way);
  }
}
