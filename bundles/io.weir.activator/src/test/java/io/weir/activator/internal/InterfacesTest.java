package io.weir.activator.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** On whatever interfaces this machine has. */
class InterfacesTest {
  @Test
  void loopbackAlwaysBelongsToThemAndComesFirst() throws Exception {
    InetAddress four = InetAddress.getByName("127.0.0.1");

    assertThat(Interfaces.look(Set.of()).addresses()).first().isEqualTo(four);
    assertThat(Interfaces.look(Set.of()).addresses()).allMatch(InetAddress::isLoopbackAddress);
    assertThat(Interfaces.look(Set.of("*")).addresses()).first().isEqualTo(four);
  }

  @Test
  void saysWhichInterfaceIsMissing() {
    Interfaces.Found found = Interfaces.look(Set.of("nosuch0", "lo"));

    assertThat(found.missing()).containsExactly("nosuch0");
    assertThat(found.addresses()).allMatch(InetAddress::isLoopbackAddress);
  }

  @Test
  void anInterfaceThatIsNamedIsUsedWithItsUsableAddresses() throws Exception {
    Optional<NetworkInterface> any = Collections.list(NetworkInterface.getNetworkInterfaces()).stream()
        .filter(each -> isPhysical(each) && isUp(each) && addresses(each).stream().anyMatch(address -> address.getAddress().length == 4
            && !address.isLoopbackAddress() && !address.isLinkLocalAddress())).findFirst();
    // A machine or container with loopback only has no interface to try this on.
    assumeThat(any).isPresent();
    NetworkInterface some = any.get();

    Interfaces.Found found = Interfaces.look(Set.of(some.getName()));

    assertThat(Interfaces.look(Set.of("*")).addresses()).containsAll(found.addresses());
    assertThat(found.missing()).isEmpty();
    assertThat(found.addresses()).anyMatch(address -> addresses(some).contains(address)).noneMatch(
        InetAddress::isLinkLocalAddress);
  }

  @Test
  void allMeansNoneThatIsVirtual() throws Exception {
    List<InetAddress> found = Interfaces.look(Set.of("*")).addresses();

    for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      if (!isPhysical(each) && !addresses(each).stream().anyMatch(InetAddress::isLoopbackAddress)) {
        assertThat(addresses(each)).filteredOn(address -> address.getAddress().length == 4).noneMatch(found::contains);
      }
    }
  }

  /** Others come and go, as containers do. */
  private static boolean isPhysical(NetworkInterface each) {
    return !Files.exists(Path.of("/sys/devices/virtual/net", each.getName()));
  }

  private static boolean isUp(NetworkInterface each) {
    try {
      return each.isUp();
    } catch (java.net.SocketException e) {
      return false;
    }
  }

  private static List<InetAddress> addresses(NetworkInterface each) {
    return Collections.list(each.getInetAddresses());
  }
}
