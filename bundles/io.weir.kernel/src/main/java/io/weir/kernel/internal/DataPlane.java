package io.weir.kernel.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Adaptor;
import io.weir.kernel.Meter;
import io.weir.kernel.Routes;
import io.weir.kernel.Traffic;
import io.weir.kernel.internal.Ebpf.Loaded;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All that is in the kernel for one gateway, from the moment its functions' cgroup is known. What an earlier life left
 * is taken up: slots keep their containers, services their ports, connections their instances.
 */
final class DataPlane implements CgroupHooks.Outcome {
  private static final Logger LOG = LoggerFactory.getLogger(DataPlane.class);

  private final Ebpf ebpf;
  private final PinDirectory pins;
  private final FunctionIndex functions;
  private final Features features;
  private final Programs programs;
  private final Maps maps;
  private final CgroupHooks hooks;
  private final Once once = new Once();
  private final RouteBook routes;
  private final Shortcut shortcut;
  private final KernelTraffic traffic;
  private final KernelMeter meter;
  private final SignalThread signals;
  private Path cgroup;
  private Object cgroupKey = "";
  private @Nullable KernelAdaptor adaptor;

  /** @throws KernelError if not even counting works */
  DataPlane(Ebpf ebpf, NativeFiles files, PinDirectory pins, FunctionIndex functions, Features features,
      Settings.Shortcut whom, Path cgroup) {
    this.ebpf = ebpf;
    this.pins = pins;
    this.functions = functions;
    this.features = features;
    this.cgroup = cgroup;
    this.programs = new Programs(ebpf, files, pins, features);
    this.maps = new Maps(ebpf, pins.path());
    this.hooks = new CgroupHooks(ebpf, pins);
    try {
      Loaded counts = programs.load(Features.METER, cgroup).orElseThrow(
          () -> new IllegalStateException("the kernel cannot count: see the feature " + Features.METER));
      hooks.add(Features.METER, counts, CgroupHooks.METER);
      programs.load(Features.LISTEN, cgroup).ifPresent(listen -> hooks.add(Features.LISTEN, listen, CgroupHooks.LISTEN));
      Optional<Loaded> egress = programs.load(Features.EGRESS, cgroup);
      egress.ifPresent(denies -> hooks.add(Features.EGRESS, denies, CgroupHooks.EGRESS));
      this.routes = new RouteBook(functions, once);
      Seats seats = new Seats(maps, functions::name);
      attach();
      this.shortcut = new Shortcut(ebpf, pins, maps, features, programs, whom, cgroup);
      this.traffic = new KernelTraffic(maps, functions, seats, new EgressRules(egress.map(object -> maps)), routes, shortcut,
          isOn(Features.LISTEN), once);
      this.meter = new KernelMeter(maps, functions, traffic);
      this.signals = new SignalThread(maps, traffic::heard);
    } catch (RuntimeException e) {
      maps.close();
      programs.close();
      throw e;
    }
    functions.begin();
    signals.start();
  }

  private boolean isOn(String feature) {
    return features.features().stream().anyMatch(each -> each.name().equals(feature) && each.active());
  }

  Traffic traffic() {
    return traffic;
  }

  Shortcut shortcut() {
    return shortcut;
  }

  Meter meter() {
    return meter;
  }

  /**
   * Leads connections to instances from now on, if there is a way.
   *
   * @param hash tells this gateway's things from those of others
   */
  Optional<Routes> route(Settings.Way wanted, String hash) {
    Optional<RouteWay> way = new WayFinder(ebpf, programs, pins, maps, features, hash, once, traffic::reachable)
        .find(wanted, cgroup);
    way.filter(ServiceMaps.class::isInstance).map(ServiceMaps.class::cast)
        .ifPresent(pinned -> traffic.keepOpen(pinned.pinned()));
    way.ifPresent(routes::use);
    return way.map(found -> routes);
  }

  /** Lets the kernel bring messages to functions from now on, if it can. */
  Optional<Adaptor> adapt() {
    Optional<KernelAdaptor> found = Adaptation.of(ebpf, programs, pins, maps, features, cgroup, traffic);
    found.ifPresent(kernel -> adaptor = kernel);
    return found.map(kernel -> kernel);
  }

  /** What took the slow path or was refused, by its word. */
  Map<String, Long> notes() {
    return Notes.read(maps);
  }

  /** Looks whether the cgroup is still the same, and takes up interfaces that came back. */
  void look(Optional<Path> now) {
    now.ifPresent(found -> cgroup = found);
    if (!key(cgroup).equals(cgroupKey)) {
      attach();
      shortcut.attach(cgroup);
    }
    routes.look();
  }

  private void attach() {
    hooks.attach(cgroup, this);
    cgroupKey = key(cgroup);
  }

  /** A directory that was removed and made again has another inode, and nothing attached. */
  private static Object key(Path directory) {
    try {
      return Files.getAttribute(directory, "unix:ino");
    } catch (IOException e) {
      return "";
    }
  }

  @Override
  public void attached(String feature) {
    features.on(feature, "programs on " + cgroup);
  }

  @Override
  public void refused(String feature, KernelError error) {
    programs.refused(feature, cgroup, error);
    if (feature.equals(Features.METER)) {
      throw error;
    }
  }

  /** Lets go of containers of an earlier life that are gone: connections led to them would hang. */
  void forgetDead() {
    Set<Object> alive = new HashSet<>();
    try (Stream<Path> all = Files.walk(cgroup)) {
      all.filter(Files::isDirectory).map(DataPlane::key).forEach(alive::add);
    } catch (IOException | UncheckedIOException e) {
      LOG.debug("looking at the functions' cgroup failed", e);
      return;
    }
    traffic.forget(traffic.unclaimed().stream()
        .filter(seat -> seat.instance.cgroup() != 0 && !alive.contains(seat.instance.cgroup())).toList());
  }

  /** Lets go of all that is of an earlier life and was not claimed by now. */
  void forgetUnclaimed() {
    List<Seat> unclaimed = traffic.unclaimed();
    if (!unclaimed.isEmpty()) {
      LOG.info("nobody knows the instances of {} any more that an earlier gateway left", unclaimed.stream()
          .map(seat -> seat.function).map(FunctionName::toString).distinct().sorted().collect(Collectors.joining(", ")));
    }
    traffic.forget(unclaimed);
    routes.forgetUnclaimed();
    functions.settle();
  }

  /** Takes everything off. */
  void close() {
    closeAdaptor();
    signals.close();
    traffic.close();
    routes.close();
    shortcut.close();
    maps.close();
    pins.clear();
    programs.close();
    functions.remove();
  }

  private void closeAdaptor() {
    if (adaptor != null) {
      adaptor.close();
    }
  }

  /** As if the gateway had been killed: what is pinned stays. */
  void abandon() {
    signals.close();
    traffic.close();
    maps.close();
    programs.close();
  }
}
