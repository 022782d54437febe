package io.weir.engine.podman.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** An IPv4 network. */
record Subnet(int address, int prefix) {

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

  boolean overlaps(Subnet other) {
    int mask = mask(Math.min(prefix, other.prefix));
    return (address & mask) == (other.address & mask);
  }

  private static int mask(int prefix) {
    return prefix == 0 ? 0 : -1 << (32 - prefix);
  }

  @Override
  public String toString() {
    return (address >>> 24) + "." + (address >>> 16 & 255) + "." + (address >>> 8 & 255) + "." + (address & 255)
        + "/" + prefix;
  }
}
