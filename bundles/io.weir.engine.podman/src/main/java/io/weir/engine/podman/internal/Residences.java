package io.weir.engine.podman.internal;

import io.weir.engine.Residence;
import java.nio.file.Path;
import java.util.Optional;

/** Where containers of the gateway's own Podman live, told without asking it. Thread-safe. */
final class Residences {
  private final OwnCgroup cgroup;
  private final Optional<Places> places;

  Residences(OwnCgroup cgroup, Optional<Places> places) {
    this.cgroup = cgroup;
    this.places = places;
  }

  /** Empty if nothing is known of it. */
  Optional<Residence> of(String id) {
    Optional<Path> directory = cgroup.unifiedOf(id);
    Optional<Places.Place> place = places.flatMap(known -> known.of(id));
    if (directory.isEmpty() && place.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new Residence(directory, place.map(there -> ReadyNetwork.FOLDER.resolve(there.namespace())),
        place.map(there -> places.orElseThrow().port(there)), place.map(there -> there.address().getAddress()),
        place.flatMap(Places.Place::address6).flatMap(Subnet6::numeric)));
  }
}
