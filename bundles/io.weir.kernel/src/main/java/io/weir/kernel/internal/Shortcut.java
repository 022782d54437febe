package io.weir.kernel.internal;

import io.weir.kernel.internal.Ebpf.Loaded;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * Leads what the gateway and instances send each other from socket to socket, past TCP. Which connections, is said when
 * they are opened; those that are open stay as they are. Guarded by the lock of {@link KernelTraffic}, but for attaching.
 */
final class Shortcut {
  /** Map entries of an earlier life, by the names of their pins. */
  private static final List<String> MAPS = List.of("targets", "shortcut_settings", "shortcuts", "shortcut_sockets");
  private static final String LINK = "shortcut-";
  /** Bytes under way in one direction, from which TCP's flow control is wanted. */
  private static final int BUDGET = 8192;
  /** What is under way is answered first; a function that takes longer loses nothing but its answer's shortcut. */
  private static final long CLOSE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long CLOSE_STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final Ebpf ebpf;
  private final PinDirectory pins;
  private final Maps maps;
  private final Features features;
  private final Programs programs;
  private final Settings.Shortcut whom;
  private final Optional<Loaded> object;
  private boolean on;

  /** Loads it, or removes what an earlier life left that was told otherwise. */
  Shortcut(Ebpf ebpf, PinDirectory pins, Maps maps, Features features, Programs programs, Settings.Shortcut whom,
      Path functions) {
    this.ebpf = ebpf;
    this.pins = pins;
    this.maps = maps;
    this.features = features;
    this.programs = programs;
    this.whom = whom;
    if (whom == Settings.Shortcut.NONE) {
      features.off(Features.SHORTCUT, "shortcut=none in " + KernelConfig.PID);
      this.object = Optional.empty();
    } else {
      this.object = programs.load(Features.SHORTCUT, functions);
    }
    if (object.isEmpty()) {
      detach();
      MAPS.forEach(pins::unpin);
    }
    attach(functions);
  }

  /** Also again, when the functions' cgroup was made anew. After the meter, which begins what this one goes on with. */
  void attach(Path functions) {
    if (object.isEmpty()) {
      return;
    }
    try {
      ebpf.attachMap(object.get(), "weir_shortcut_send", "shortcut_sockets");
      Map<String, Path> places = places(functions);
      places.forEach((name, cgroup) ->
          ebpf.attachCgroup(object.get(), "weir_shortcut", cgroup, pins.path(), LINK + name));
      settings(ebpf.ownNetnsCookie());
      on = true;
      features.on(Features.SHORTCUT, "programs on " + places.values().stream().map(Path::toString)
          .collect(Collectors.joining(" and ")) + (whom == Settings.Shortcut.RUNNERS ? ", for functions with a runner" : ""));
    } catch (KernelError e) {
      programs.refused(Features.SHORTCUT, functions, e);
    }
  }

  /** The gateway's cgroup and the functions', or the one in which the other lies. */
  private static Map<String, Path> places(Path functions) {
    Path gateway = gateway();
    Map<String, Path> places = new LinkedHashMap<>();
    if (!gateway.startsWith(functions) || gateway.equals(functions)) {
      places.put("gateway", gateway);
    }
    if (!functions.startsWith(gateway)) {
      places.put("functions", functions);
    }
    return places;
  }

  private static Path gateway() {
    Path root = Mounts.cgroup2().orElseThrow(() -> new KernelError("looking for cgroup v2", KernelError.ENOENT));
    try {
      return Files.readAllLines(Path.of("/proc/self/cgroup")).stream().filter(line -> line.startsWith("0::/"))
          .map(line -> root.resolve(line.substring("0::/".length())).normalize()).filter(Files::isDirectory).findFirst()
          .orElseThrow(() -> new KernelError("looking for the gateway's own cgroup below " + root, KernelError.ENOENT));
    } catch (IOException e) {
      throw new KernelError("reading /proc/self/cgroup", KernelError.ENOENT);
    }
  }

  private void settings(long netns) {
    maps.put("shortcut_settings", Layout.number(0), Layout.shortcutSettings(netns, BUDGET));
  }

  /** It is in the map of instances. Connections to it from now on are led, if it is one for that. */
  void joined(Seat seat) {
    if (!on) {
      return;
    }
    if (whom == Settings.Shortcut.ALL || seat.member != null && seat.member.runner()) {
      targets(seat).forEach(key -> maps.put("targets", key, Layout.number(seat.slot)));
    } else {
      left(seat);
    }
  }

  /** It goes, or goes elsewhere; called before the maps say so. */
  void left(Seat seat) {
    if (!on) {
      return;
    }
    byte[] slot = new byte[4];
    for (byte[] key : targets(seat)) {
      // Its address may be another one's by now.
      if (maps.ebpf().get(maps.fd("targets"), key, slot) && Layout.buffer(slot).getInt() == seat.slot) {
        maps.delete("targets", key);
      }
    }
  }

  private static List<byte[]> targets(Seat seat) {
    List<byte[]> keys = new ArrayList<>();
    keys.add(Layout.target(seat.instance.address4(), seat.instance.port()));
    if (!ByteBuffer.wrap(seat.instance.address6()).equals(ByteBuffer.allocate(Layout.ADDRESS))) {
      keys.add(Layout.target(seat.instance.address6(), seat.instance.port()));
    }
    return keys;
  }

  /** Messages that went directly on connections that are open: to functions, and to the gateway. */
  List<Long> carried() {
    long[] sums = new long[2];
    for (Layout.Led each : open()) {
      sums[0] += each.toFunction();
      sums[1] += each.toGateway();
    }
    return List.of(sums[0], sums[1]);
  }

  private List<Layout.Led> open() {
    List<Layout.Led> found = new ArrayList<>();
    for (byte[] key : on ? maps.ebpf().keys(maps.fd("shortcuts"), Layout.PAIR) : List.<byte[]>of()) {
      byte[] value = new byte[Layout.SHORTCUT];
      if (maps.ebpf().get(maps.fd("shortcuts"), key, value)) {
        found.add(Layout.Led.of(value));
      }
    }
    return found;
  }

  private boolean isBusy() {
    return open().stream().anyMatch(Layout.Led::busy);
  }

  /** No new ones; then, once nothing is under way, none. What nobody has read yet would be lost with the maps. */
  void close() {
    if (!on) {
      return;
    }
    try {
      settings(0);
      long deadline = System.nanoTime() + CLOSE_NANOS;
      while (isBusy() && System.nanoTime() < deadline) {
        LockSupport.parkNanos(CLOSE_STEP_NANOS);
      }
    } catch (KernelError e) {
      programs.refused(Features.SHORTCUT, pins.path(), e);
    }
    detach();
    on = false;
  }

  private void detach() {
    pins.links().stream().filter(link -> link.startsWith(LINK)).forEach(pins::detach);
  }
}
