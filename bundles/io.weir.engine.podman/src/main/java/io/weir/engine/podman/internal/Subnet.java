package io.weir.engine.podman.internal;

import io.weir.engine.EngineException;
import io.weir.engine.EngineException.Code;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** An IPv4 network. */
record Subnet(int address, int prefix) {
  private static final Path ROUTES = Path.of("/proc/net/route");

  Subnet {
    if (prefix < 0 || prefix > 32) {
      throw new IllegalArgumentException("prefix " + prefix);
    }
    address &= mask(prefix);
  }

  static Subnet parse(String text) {
    String[] parts = text.split("[./]", -1);
    try {
      if (parts.length == 5) {
        int address = 0;
        for (int i = 0; i < 4; i++) {
          int octet = Integer.parseInt(parts[i]);
          if (octet < 0 || octet > 255) {
            throw new NumberFormatException(parts[i]);
          }
          address = address << 8 | octet;
        }
        int prefix = Integer.parseInt(parts[4]);
        if (prefix >= 8 && prefix <= 28) {
          return new Subnet(address, prefix);
        }
      }
    } catch (NumberFormatException e) {
      // reported below
    }
    throw Settings.invalid("subnet", text, "an IPv4 network of /8 to /28 such as 10.213.64.0/22, or empty");
  }

  static Subnet of(Inet4Address member, int prefix) {
    return new Subnet(ByteBuffer.wrap(member.getAddress()).getInt(), prefix);
  }

  /** The networks that this machine has a route to, besides the default route. */
  static List<Subnet> routed() {
    try (Stream<String> lines = Files.lines(ROUTES)) {
      return routed(lines);
    } catch (IOException | UncheckedIOException e) {
      throw new EngineException(Code.FAILED, "cannot read " + ROUTES + " to choose a subnet for the functions; "
          + "set one in " + PodmanEngine.PID + ", key subnet", e);
    }
  }

  /** The networks of {@code /proc/net/route}, without the default route. */
  static List<Subnet> routed(Stream<String> procNetRoute) {
    List<Subnet> found = new ArrayList<>();
    procNetRoute.skip(1).map(line -> line.split("\\s+")).filter(fields -> fields.length > 7).forEach(fields -> {
      int destination = Integer.reverseBytes(Integer.parseUnsignedInt(fields[1], 16));
      int mask = Integer.reverseBytes(Integer.parseUnsignedInt(fields[7], 16));
      if (mask != 0) {
        found.add(new Subnet(destination, Integer.bitCount(mask)));
      }
    });
    return found;
  }

  /**
   * Free /22 networks of 10.128.0.0/9. Where the search begins depends on the seed, so that two gateways of one machine
   * do not take the same network before either has a route to show for it.
   */
  static Stream<Subnet> free(int seed, List<Subnet> taken) {
    int first = Math.floorMod(seed, 1 << 13);
    return Stream.iterate(first, n -> (n + 1) % (1 << 13)).limit(1 << 13)
        .map(n -> new Subnet(10 << 24 | 1 << 23 | n << 10, 22))
        .filter(candidate -> taken.stream().noneMatch(candidate::overlaps));
  }

  /** The address with this number in the network: 1 is the first that a machine may have. */
  String host(int number) {
    return dotted(address + number);
  }

  /** How many addresses machines may have, the gateway's among them. */
  int hosts() {
    return (1 << (32 - prefix)) - 2;
  }

  /** An Ethernet address that follows from the IPv4 address, so that nobody remembers a wrong one. */
  String mac(int number) {
    int host = address + number;
    return String.format("02:57:%02x:%02x:%02x:%02x", host >>> 24, host >>> 16 & 255, host >>> 8 & 255, host & 255);
  }

  boolean overlaps(Subnet other) {
    int mask = mask(Math.min(prefix, other.prefix));
    return (address & mask) == (other.address & mask);
  }

  private static int mask(int prefix) {
    return prefix == 0 ? 0 : -1 << (32 - prefix);
  }

  private static String dotted(int address) {
    return (address >>> 24) + "." + (address >>> 16 & 255) + "." + (address >>> 8 & 255) + "." + (address & 255);
  }

  @Override
  public String toString() {
    return dotted(address) + "/" + prefix;
  }
}
