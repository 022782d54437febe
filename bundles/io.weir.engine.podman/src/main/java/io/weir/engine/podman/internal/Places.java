package io.weir.engine.podman.internal;

import io.weir.engine.ContainerStatus;
import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Which container lives in which of our network namespaces. Thread-safe. */
final class Places implements AutoCloseable {
  /** After these Podman has made no container. */
  private static final Set<Code> REFUSED = Set.of(Code.NO_SUCH_IMAGE, Code.BAD_REQUEST, Code.CONFLICT, Code.NO_SPACE);

  /**
   * Where a container lives.
   *
   * @param namespace name of the network namespace
   * @param address where the function listens
   * @param address6 its IPv6 address, if it has one
   */
  record Place(String namespace, InetSocketAddress address, Optional<String> address6) {}

  private final Map<String, Place> byContainer = new ConcurrentHashMap<>();
  private final NetworkNamespaces namespaces;

  Places(NetworkNamespaces namespaces) {
    this.namespaces = namespaces;
  }

  /**
   * Sees to the functions' network.
   *
   * @param containers lists all there are
   */
  void open(Supplier<List<ContainerStatus>> containers) {
    namespaces.open(() -> sweep(containers));
  }

  /**
   * Makes a container in a network of its own.
   *
   * @param create makes it, and returns its id
   */
  String settle(int port, Function<ReadyNetwork, String> create) {
    ReadyNetwork network = namespaces.take();
    boolean unused = false;
    String made = "";
    try {
      made = create.apply(network);
      byContainer.put(made, new Place(network.name(), new InetSocketAddress(network.address(), port),
          network.address6()));
      return made;
    } catch (EngineException e) {
      unused = REFUSED.contains(e.code());
      throw e;
    } finally {
      if (unused) {
        namespaces.giveBack(network);
      } else if (made.isEmpty()) {
        namespaces.discard(network.name());
      }
    }
  }

  /** Learns where a container lives that an earlier gateway made. */
  void learn(ContainerStatus seen) {
    Containers.place(seen.labels()).filter(place -> namespaces.inherits(place.namespace()))
        .ifPresent(place -> byContainer.putIfAbsent(seen.id(), place));
  }

  Optional<Place> of(String container) {
    return Optional.ofNullable(byContainer.get(container));
  }

  /** The gateway's own address in their network. */
  InetAddress gateway() {
    return namespaces.gateway();
  }

  /** Name of the host's end of its veth pair. */
  String port(Place place) {
    return namespaces.port(place.namespace());
  }

  /** The container is gone. */
  void leave(String container) {
    Place left = byContainer.remove(container);
    if (left != null) {
      namespaces.discard(left.namespace());
    }
  }

  /**
   * Removes the namespaces of containers that are gone without our doing, and what an earlier gateway left.
   *
   * @param containers lists all there are. Asked last, so that what comes into being meanwhile is not taken for gone.
   */
  void sweep(Supplier<List<ContainerStatus>> containers) {
    Set<String> known = Set.copyOf(byContainer.keySet());
    Set<String> strays = namespaces.inherited();
    List<ContainerStatus> alive = containers.get();
    Set<String> ids = alive.stream().map(ContainerStatus::id).collect(Collectors.toSet());
    known.stream().filter(id -> !ids.contains(id)).forEach(this::leave);
    alive.forEach(container -> Containers.place(container.labels())
        .ifPresent(place -> strays.remove(place.namespace())));
    // Looking takes time, in which one may have been removed and its number given to a container of ours.
    strays.stream().filter(namespaces::inherits).forEach(namespaces::discard);
  }

  /** Puts right what somebody else may have changed of the network. */
  void mend() {
    namespaces.mend();
  }

  @Override
  public void close() {
    namespaces.close();
  }
}
