package io.weir.function;

import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who may talk with a function over the network.
 *
 * @param port of its service address, 1024 to 65535; empty: the gateway chooses one and keeps it
 * @param from networks from which its service address may be reached, for example {@code 192.168.1.0/24}; empty: all
 * @param rate new connections per second that one client may make to its service address, 0 to 100,000; 0: no limit
 * @param burst connections a client may make at once before the rate counts, 0 to 100,000
 * @param egress what it may connect to, for example {@code 10.0.0.0/8}, {@code 192.168.1.10:443}, {@code [fd00::1]:53} or
 *     {@code any}; empty: nothing but the gateway itself
 */
public record Network(OptionalInt port, List<String> from, int rate, int burst, List<String> egress) {
  public static final int LOWEST_PORT = 1024;
  public static final int MAX_RATE = 100_000;
  /** Everybody may come in, nothing goes out. */
  public static final Network DEFAULT = new Network(OptionalInt.empty(), List.of(), 0, 0, List.of());

  private static final Pattern NETWORK = Pattern.compile("(?<v4>[0-9]{1,3}(\\.[0-9]{1,3}){3})(/(?<p4>[0-9]{1,2}))?"
      + "|(?<v6>[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)(/(?<p6>[0-9]{1,3}))?");
  private static final Pattern WITH_PORT = Pattern.compile("\\[(?<six>[^\\]]+)\\]:(?<sixport>[0-9]{1,5})"
      + "|(?<four>[0-9./]+):(?<fourport>[0-9]{1,5})");

  /** @throws InvalidFunction if a value is out of range or no network */
  public Network {
    if (port.isPresent() && (port.getAsInt() < LOWEST_PORT || port.getAsInt() > 65_535)) {
      throw new InvalidFunction("service.port", port.getAsInt(), LOWEST_PORT + "..65535");
    }
    require("service.rate", rate);
    require("service.burst", burst);
    from = List.copyOf(from);
    egress = List.copyOf(egress);
    for (String network : from) {
      if (!isNetwork(network)) {
        throw new InvalidFunction("service.from", network, "a network such as 192.168.1.0/24 or fd00::/8");
      }
    }
    for (String target : egress) {
      if (!isTarget(target)) {
        throw new InvalidFunction("egress", target,
            "'any', a network such as 10.0.0.0/8, or an address with a port such as 192.168.1.10:443 or [fd00::1]:53");
      }
    }
  }

  private static void require(String key, int value) {
    if (value < 0 || value > MAX_RATE) {
      throw new InvalidFunction(key, value, "0.." + MAX_RATE);
    }
  }

  private static boolean isTarget(String target) {
    Matcher ported = WITH_PORT.matcher(target);
    if (!ported.matches()) {
      return target.equals("any") || isNetwork(target);
    }
    boolean six = ported.group("six") != null;
    int number = Integer.parseInt(ported.group(six ? "sixport" : "fourport"));
    return number > 0 && number < 65_536 && isNetwork(ported.group(six ? "six" : "four"));
  }

  private static boolean isNetwork(String text) {
    Matcher matcher = NETWORK.matcher(text);
    if (!matcher.matches()) {
      return false;
    }
    if (matcher.group("v6") != null) {
      return (matcher.group("p6") == null || Integer.parseInt(matcher.group("p6")) <= 128) && isSix(matcher.group("v6"));
    }
    for (String octet : matcher.group("v4").split("\\.")) {
      if (Integer.parseInt(octet) > 255) {
        return false;
      }
    }
    return matcher.group("p4") == null || Integer.parseInt(matcher.group("p4")) <= 32;
  }

  private static boolean isSix(String text) {
    int gap = text.indexOf("::");
    if (gap >= 0 && text.indexOf("::", gap + 1) >= 0 || text.contains(".")) {
      return false;
    }
    int groups = 0;
    for (String group : text.replaceFirst("^::", "").replaceFirst("::$", "").split("::?")) {
      if (group.length() > 4) {
        return false;
      }
      groups += group.isEmpty() ? 0 : 1;
    }
    return gap >= 0 ? groups < 8 : groups == 8;
  }
}
