package io.weir.kernel;

import io.weir.function.FunctionName;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Leads connections to service addresses straight to instances. An optional service, present where the kernel can do it;
 * without it the gateway proxies every connection. Thread-safe.
 */
public interface Routes {

  /** How packets find their way. */
  enum Way {
    /** eBPF at the network interfaces and in connect(). */
    EBPF,
    /** A DNAT map of nftables. */
    NFT
  }

  /**
   * Who may connect to a function.
   *
   * @param sources networks such as {@code 192.168.1.0/24} or {@code fd00::/8}; empty: everybody
   * @param rate new connections per second and client; 0: no limit
   * @param burst connections a client may make at once before the rate counts
   */
  record Admission(List<String> sources, int rate, int burst) {
    public static final Admission EVERYBODY = new Admission(List.of(), 0, 0);
  }

  Way way();

  /** The gateway's own addresses on which services may be reached; loopback always belongs to them. */
  void reachableAt(Collection<InetAddress> addresses);

  /**
   * Connections to this port belong to the function from now on. Declaring it again changes port and admission; connections
   * that exist go on. What is refused may be declared again later.
   *
   * @return why they are not led to instances, so that they must be carried; empty if they are
   */
  Optional<String> declare(FunctionName function, int port, Admission admission);

  /** The function has no port any more; its connections go on. */
  void withdraw(FunctionName function);

  /**
   * Connections for which there is no instance go to the caller's listener on loopback; the accepted socket's local address
   * is that of the service.
   *
   * @param listener its port
   * @return false if each service needs a listener of its own, on its own port
   */
  boolean holdAt(int listener);
}
