package io.weir.activator.internal;

import io.weir.function.FunctionSpec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** One function's port, claimed at every address or at none. On the thread of {@link Doors} only. */
final class Service {
  final Door door;
  FunctionSpec function;
  /** 0 until it has one. */
  private int port;
  private Optional<String> problem = Optional.empty();
  /** Why the kernel does not lead its connections although it leads those of others. */
  private Optional<String> carried = Optional.empty();
  private final Map<InetAddress, Claim> claims = new LinkedHashMap<>();
  private final Acceptor acceptor;

  Service(FunctionSpec function, Door door, Acceptor acceptor) {
    this.function = function;
    this.door = door;
    this.acceptor = acceptor;
  }

  int port() {
    return port;
  }

  Optional<String> problem() {
    return problem.or(() -> carried);
  }

  /** Whether somebody has to listen on the port itself, because the kernel brings no connection elsewhere. */
  boolean isCarried() {
    return carried.isPresent();
  }

  /** @param why empty if the kernel leads its connections, or nobody's */
  void carried(Optional<String> why) {
    carried = why;
  }

  boolean isOpen() {
    return problem.isEmpty() && !claims.isEmpty();
  }

  List<InetSocketAddress> addresses() {
    return isOpen() ? claims.keySet().stream().map(address -> new InetSocketAddress(address, port)).toList() : List.of();
  }

  OptionalInt wanted() {
    return function.network().port();
  }

  /** It gets no port at all. */
  void hasNone(String why) {
    close();
    port = 0;
    problem = Optional.of(why);
  }

  /**
   * Claims the port at every address that is not claimed yet, and gives up what is no longer wanted.
   *
   * @param listen whether to listen; otherwise the port is only kept
   * @param patient whether a listener may stay although it is not needed any more
   * @return whether the port is the gateway's at all addresses; if not it is at none, and {@link #problem} says why
   */
  boolean claim(int wantedPort, List<InetAddress> addresses, boolean listen, boolean patient) {
    if (wantedPort != port) {
      close();
      port = wantedPort;
    }
    List.copyOf(claims.keySet()).stream().filter(address -> !addresses.contains(address))
        .forEach(address -> claims.remove(address).close());
    for (InetAddress address : addresses) {
      try {
        claim(address, listen, patient);
      } catch (IOException e) {
        String why = String.valueOf(e.getMessage());
        if (why.contains("Cannot assign")) {
          continue; // It was taken from the interface this moment; the next look will not find it.
        }
        close();
        refused(address, why);
        return false;
      }
    }
    problem = Optional.empty();
    return true;
  }

  private void claim(InetAddress address, boolean listen, boolean patient) throws IOException {
    Claim claim = claims.get(address);
    if (claim != null && !claim.isWeak() && (claim.listens() == listen || claim.listens() && patient)) {
      return;
    }
    if (listen) {
      // Before the other is given up: nobody else can come in between.
      if (claim != null) {
        claim.weaken();
      }
      claims.put(address, Claim.listen(acceptor, address, port, client -> door));
      if (claim != null) {
        claim.close();
      }
      return;
    }
    if (claim != null) {
      claims.remove(address);
      claim.close();
    }
    claims.put(address, Claim.reserve(address, port));
  }

  private void refused(InetAddress address, String why) {
    String at = "port " + port + " on " + address.getHostAddress();
    // Looking up who has it takes milliseconds; once is enough.
    if (problem.isEmpty() || !problem.get().startsWith(at + " ")) {
      problem = Optional.of(why.contains("in use") ? at + " is in use by " + PortHolder.of(port).orElse("another program")
          + "; stop that, or give the function another service.port" : at + " cannot be used: " + why);
    }
  }

  /** Connections that exist go on. */
  void close() {
    claims.values().forEach(Claim::close);
    claims.clear();
  }
}
