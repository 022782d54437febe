package io.weir.kernel.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Traffic.Member;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A slot that is taken. Guarded by the lock of {@link KernelTraffic}. */
final class Seat {
  final int slot;
  final FunctionName function;
  Instance instance;
  /** Null as long as it is of an earlier life and its container did not join again. */
  @Nullable Member member;
  /** The host's interface that it is behind, 0 if not known; in {@link #instance} only once packets can be led there. */
  int port;
  /** Cookie of its network namespace, 0 if not known. */
  long netns;
  /** Whether the signal was passed on since it was put to rest. */
  boolean touched;

  Seat(int slot, FunctionName function, Instance instance) {
    this.slot = slot;
    this.function = function;
    this.instance = instance;
    this.port = instance.ifindex();
  }

  /** The container's full id. */
  Optional<String> container() {
    return Optional.ofNullable(member).map(Member::container);
  }
}
