package io.weir.kernel;

import io.weir.engine.Residence;
import io.weir.function.FunctionName;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * The instances as the kernel sees them: counted, and reached without the gateway in between. An optional service, present
 * where the kernel can do it; without it, requests reach instances through the gateway only, and only those are counted.
 *
 * <p>Thread-safe. Calls take microseconds, do not block, and never fail: what the kernel refuses is logged once and left to
 * the slow path.
 */
public interface Traffic {
  /**
   * Whose members are that only show that they can be started. What a function may connect to is one thing for all its
   * members, and what one that is to be may is not to be given to, or taken from, the one that runs.
   */
  FunctionName REHEARSAL = new FunctionName("weir-rehearsal");

  /**
   * An instance.
   *
   * @param container its container's full id
   * @param function whose it is
   * @param address where it serves HTTP
   * @param residence where it lives
   * @param concurrency requests in flight from which new connections are held instead of led to it
   * @param egress what it may connect to, as in {@link io.weir.function.Network#egress()}
   * @param runner whether a runner of the gateway's serves it, of which it is known how it reads from sockets
   */
  record Member(String container, FunctionName function, InetSocketAddress address, Residence residence, int concurrency,
      List<String> egress, boolean runner) {}

  /**
   * What an instance has to do, whoever sent it.
   *
   * @param container its container's full id
   * @param inFlight requests that it got and has not answered
   * @param connections open ones
   * @param requests since it joined
   * @param idleNanos since the last request or answer; {@link Long#MAX_VALUE} if there was none
   */
  record Load(String container, int inFlight, int connections, long requests, long idleNanos) {}

  /**
   * Completes when a process in the network namespace listens on the port, or at once if that cannot be observed there.
   * Ask before the process starts, or within a second. Cancel it to stop waiting.
   *
   * @return true if it takes connections to every IPv4 address there; else that is to be found out by connecting
   */
  CompletionStage<Boolean> listening(Residence residence, int port);

  /** Counts it from now on. Joining again, also after the gateway was killed, keeps its counters and connections. */
  void join(Member member);

  /** New connections to its function may be led to it. */
  void open(String container);

  /** It gets no new connections; those it has go on. */
  void drain(String container);

  /**
   * From now on the next packet for it is signalled, once. Call before freezing it; a signal may come while that goes on.
   * It stays open: what is led to it waits in its socket.
   *
   * @return false, and nothing is changed, if it has requests in flight
   */
  boolean rest(String container);

  /** No longer at rest. Not at rest is fine. */
  void wake(String container);

  /** It is gone or about to be killed: its connections are reset. Not joined is fine. */
  void leave(String container);

  /** What every joined instance has to do now. */
  List<Load> loads();

  /** Calls the listener for every signal, on one thread of the kernel bundle that must not be blocked, until closed. */
  AutoCloseable subscribe(Consumer<KernelSignal> listener);
}
