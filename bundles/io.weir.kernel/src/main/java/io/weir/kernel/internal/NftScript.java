package io.weir.kernel.internal;

import io.weir.kernel.Routes.Admission;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The rules of one address family as nft reads them: from service addresses to instances, and who may come. */
record NftScript(boolean six, String table, String bridge) {

  private String family() {
    return six ? "ip6" : "ip";
  }

  private String named() {
    return family() + ' ' + table;
  }

  boolean isMine(InetAddress address) {
    return six ? address instanceof Inet6Address : address instanceof Inet4Address;
  }

  /** All of it, in place of what is there, in one transaction. */
  String all(Set<InetAddress> addresses, Collection<Served> services) {
    List<String> lines = new ArrayList<>(List.of("add table " + named(), "delete table " + named(), "table " + named() + " {"));
    lines.add("set own { type " + (six ? "ipv6_addr" : "ipv4_addr") + "; " + elements(own(addresses)) + " }");
    services.forEach(service -> lines.addAll(chains(service)));
    lines.add("map guards { type inet_service : verdict; "
        + elements(services.stream().map(service -> service.port() + " : jump admit-" + service.port()).toList()) + " }");
    lines.add("map leads { type inet_service : verdict; "
        + elements(services.stream().map(service -> service.port() + " : jump to-" + service.port()).toList()) + " }");
    lines.add("chain admit { type filter hook prerouting priority dstnat - 10; policy accept;");
    lines.add("iif lo accept; ct state != new accept; " + family() + " daddr @own tcp dport vmap @guards; }");
    // A function's own packets would have to come back through the bridge: they are proxied.
    lines.add("chain lead { type nat hook prerouting priority dstnat; policy accept;");
    lines.add("iifname \"" + bridge + "\" accept; " + family() + " daddr @own tcp dport vmap @leads; }");
    lines.add("chain lead-here { type nat hook output priority -100; policy accept;");
    lines.add(family() + " daddr @own tcp dport vmap @leads; }");
    lines.add("}");
    services.forEach(service -> lines.addAll(retarget(service)));
    return lines.stream().collect(Collectors.joining("\n", "", "\n"));
  }

  String remove() {
    return "add table " + named() + "\ndelete table " + named() + "\n";
  }

  private static String elements(List<String> elements) {
    return elements.isEmpty() ? "" : "elements = { " + String.join(", ", elements) + " };";
  }

  private List<String> own(Set<InetAddress> addresses) {
    return addresses.stream().filter(this::isMine).filter(address -> !address.isLoopbackAddress()).map(NftScript::text)
        .sorted().toList();
  }

  /** Only where services are reached. */
  List<String> addresses(Set<InetAddress> addresses) {
    List<String> own = own(addresses);
    List<String> lines = new ArrayList<>(List.of("flush set " + named() + " own"));
    if (!own.isEmpty()) {
      lines.add("add element " + named() + " own { " + String.join(", ", own) + " }");
    }
    return lines;
  }

  private List<String> chains(Served service) {
    List<String> lines = new ArrayList<>();
    if (service.admission().rate() > 0) {
      lines.add("set " + rates(service.port()));
    }
    lines.add("chain admit-" + service.port() + " { "
        + rules(service).stream().map(rule -> rule + "; ").collect(Collectors.joining()) + "}");
    lines.add("chain to-" + service.port() + " { }");
    return lines;
  }

  /** What clients did of late. */
  private String rates(int port) {
    return "rate-" + port + " { type " + (six ? "ipv6_addr" : "ipv4_addr")
        + "; size 65535; flags dynamic,timeout; timeout 1m; }";
  }

  /** Who may not connect. */
  private List<String> rules(Served service) {
    List<String> rules = new ArrayList<>();
    if (!service.admission().sources().isEmpty()) {
      List<String> mine = service.admission().sources().stream().flatMap(source -> Network.of(source).stream())
          .filter(network -> isMine(network.address())).map(Network::toString).sorted().toList();
      rules.add(mine.isEmpty() ? "drop" : family() + " saddr != { " + String.join(", ", mine) + " } drop");
    }
    if (service.admission().rate() > 0) {
      rules.add("update @rate-" + service.port() + " { " + family() + " saddr limit rate over " + service.admission().rate()
          + "/second burst " + Math.max(1, service.admission().burst()) + " packets } drop");
    }
    return rules;
  }

  /**
   * One service that is new or changed, among others that stay as they are with what is remembered of their clients.
   *
   * @param before how it stands in the table; null: not at all
   */
  List<String> declare(Served service, @Nullable Admission before) {
    int port = service.port();
    String admit = named() + " admit-" + port;
    List<String> lines = new ArrayList<>(List.of("add chain " + admit, "flush chain " + admit));
    Admission now = service.admission();
    if (before != null && before.rate() > 0 && (before.rate() != now.rate() || before.burst() != now.burst())) {
      // Of each client it also remembers the rate that counted when the client came.
      lines.add((now.rate() > 0 ? "flush set " : "delete set ") + named() + " rate-" + port);
    }
    if (now.rate() > 0) {
      lines.add("add set " + named() + ' ' + rates(port));
    }
    rules(service).forEach(rule -> lines.add("add rule " + admit + ' ' + rule));
    lines.add("add chain " + named() + " to-" + port);
    lines.add("add element " + named() + " guards { " + port + " : jump admit-" + port + " }");
    lines.add("add element " + named() + " leads { " + port + " : jump to-" + port + " }");
    lines.addAll(retarget(service));
    return lines;
  }

  /** @param admission how it stands in the table */
  List<String> withdraw(int port, Admission admission) {
    List<String> lines = new ArrayList<>();
    for (String map : List.of("guards { " + port + " : jump admit-", "leads { " + port + " : jump to-")) {
      lines.add("delete element " + named() + ' ' + map + port + " }");
    }
    for (String chain : List.of(" admit-" + port, " to-" + port)) {
      lines.add("flush chain " + named() + chain);
      lines.add("delete chain " + named() + chain);
    }
    if (admission.rate() > 0) {
      lines.add("delete set " + named() + " rate-" + port);
    }
    return lines;
  }

  /** The instances of one service, spread evenly. */
  List<String> retarget(Served service) {
    List<String> lines = new ArrayList<>();
    List<String> spread = new ArrayList<>();
    String to = named() + " to-" + service.port();
    lines.add("flush chain " + to);
    for (Target target : service.targets()) {
      Optional<InetSocketAddress> address = (six ? target.address6() : Optional.of(target.address()))
          .filter(there -> isMine(there.getAddress()) && !there.getAddress().isLoopbackAddress());
      if (address.isPresent()) {
        String chain = "slot-" + target.slot();
        lines.add("add chain " + named() + ' ' + chain);
        lines.add("flush chain " + named() + ' ' + chain);
        lines.add("add rule " + named() + ' ' + chain + " meta l4proto tcp dnat to "
            + (six ? '[' + text(address.get().getAddress()) + ']' : text(address.get().getAddress())) + ':'
            + address.get().getPort());
        spread.add(spread.size() + " : goto " + chain);
      }
    }
    if (!spread.isEmpty()) {
      lines.add("add rule " + to + " numgen inc mod " + spread.size() + " vmap { " + String.join(", ", spread) + " }");
    }
    return lines;
  }

  static String text(InetAddress address) {
    String text = address.getHostAddress();
    int zone = text.indexOf('%');
    return zone < 0 ? text : text.substring(0, zone);
  }
}
