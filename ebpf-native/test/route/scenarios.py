# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""What must hold of route, local and wake: python3 scenarios.py OUT [NAME…], as root; OUT as of the Makefile."""
import asyncio
import collections
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import *  # noqa: E402,F403

LAN, LAN6, OTHER, OTHER6 = "192.168.50.1", "fd50::1", "192.168.60.1", "fd60::1"
scenarios = []


def scenario(fn):
  scenarios.append(fn)
  return fn


def equal(actual, expected, what=""):
  if actual != expected:
    raise AssertionError(f"{what}: {actual!r}, not {expected!r}")


class Counted:
  """What the notes gained meanwhile."""

  def __init__(self, bed):
    self.bed = bed

  def __enter__(self):
    self.before = self.bed.notes()
    return self

  def __exit__(self, *_):
    after = self.bed.notes()
    self.gained = {k: after[k] - self.before[k] for k in after if after[k] != self.before[k]}


# ---- warm ----

@scenario
def leads_both_devices_over_both_families(bed):
  for netns, four, six, mine4, mine6 in ((bed.devices[0], LAN, LAN6, "192.168.50.2", "fd50::2"),
                                         (bed.devices[1], OTHER, OTHER6, "192.168.60.2", "fd60::2")):
    with Counted(bed) as notes:
      answer = inside(netns, who, four)
      equal((answer[0][0], answer[1]), ("i", "::ffff:" + mine4))
      answer = inside(netns, who, six)
      equal((answer[0][0], answer[1]), ("i", mine6))
    equal(notes.gained, {"routed": 2})


@scenario
def keeps_bytes_whole_at_every_mtu(bed):
  for size in (1280, 1500, 9000):
    for offload in (1, 0):
      mtu("lan0", size)
      inside(bed.devices[0], mtu, "eth0", size)
      inside(bed.devices[0], offloads, "eth0", offload)
      for netns, _ in bed.instances:
        inside(netns, offloads, "eth0", offload)
      try:
        for host in (LAN, LAN6):
          equal(inside(bed.devices[0], transfer, host, 1 << 20), [True, True], f"mtu {size} offload {offload} {host}")
      finally:
        for netns, name in [(bed.devices[0], "eth0")] + [(n, "eth0") for n, _ in bed.instances]:
          inside(netns, offloads, name, 1)
        mtu("lan0", 1500)
        inside(bed.devices[0], mtu, "eth0", 1500)


def losing(host, times):
  run("nft", "table inet loss { chain in { type filter hook input priority 0; numgen random mod 100 == 0 drop; }; "
      "chain out { type filter hook output priority 0; numgen random mod 100 == 0 drop; }; }")
  try:
    return [transfer(host, 1 << 20) for _ in range(times)]
  finally:
    run("nft", "delete table inet loss")


@scenario
def survives_loss(bed):
  for host in (LAN, LAN6):
    equal(inside(bed.devices[0], losing, host, 3), [[True, True]] * 3)


@scenario
def leads_tagged_frames_if_told_to(bed):
  pinned = bed.bpffs + "/device"
  os.mkdir(pinned)
  run("bpftool", "prog", "loadall", f"{bed.out}/test/route/device.bpf.o", pinned)
  netns = bed.devices[1]
  words = run("ip", "link", "show", "lan1").split()
  mac = words[words.index("link/ether") + 1]
  for a in (OTHER, OTHER6):
    run("ip", "neigh", "replace", a, "lladdr", mac, "dev", "eth0", netns=netns)
  run("tc", "qdisc", "add", "dev", "eth0", "clsact", netns=netns)
  try:
    for way, name in (("egress", "device_out"), ("ingress", "device_in")):
      run("tc", "filter", "add", "dev", "eth0", way, "bpf", "da", "object-pinned", f"{pinned}/{name}", netns=netns)
    with Counted(bed) as notes:
      try:
        inside(netns, lambda: who(OTHER, timeout=1))
        raise AssertionError("a tagged frame was led although nobody said so")
      except RuntimeError as e:
        assert "imeout" in str(e), e
    equal(notes.gained, {})
    bed.config(TAGGED)
    with Counted(bed) as notes:
      for host in (OTHER, OTHER6):
        equal(inside(netns, transfer, host, 1 << 20), [True, True])
    equal(notes.gained, {"routed": 2})
  finally:
    run("tc", "qdisc", "del", "dev", "eth0", "clsact", netns=netns)
    for a in (OTHER, OTHER6):
      run("ip", "neigh", "del", a, "dev", "eth0", netns=netns)
    for name in os.listdir(pinned):
      os.unlink(f"{pinned}/{name}")
    os.rmdir(pinned)


@scenario
def leads_by_the_bridge_if_told_to(bed):
  bed.config(bridge=socket.if_nametoindex("br0"))
  with Counted(bed) as notes:
    for host in (LAN, LAN6):
      equal(inside(bed.devices[0], transfer, host, 1 << 20), [True, True])
  equal(notes.gained, {"routed": 2})


class Far:
  """A client behind a router whose line is narrower than either end knows."""

  def __init__(self, bed):
    self.near = bed.devices[0]

  def __enter__(self):
    far = namespace()
    near = self.near
    run("ip", "link", "add", "far0", "type", "veth", "peer", "name", "eth0", "netns", str(far), netns=near)
    for a, b, six in (("192.168.51.1/24", "192.168.51.2/24", []), ("fd51::1/64", "fd51::2/64", ["nodad"])):
      run("ip", "addr", "add", a, "dev", "far0", *six, netns=near)
      run("ip", "addr", "add", b, "dev", "eth0", *six, netns=far)
    run("ip", "link", "set", "far0", "up", netns=near)
    run("ip", "link", "set", "eth0", "up", netns=far)
    for a in ("192.168.51.1", "fd51::1"):
      run("ip", "route", "add", "default", "via", a, netns=far)
    for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
      run("sysctl", "-q", f"{key}=1", netns=near)
    for a in ("192.168.51.0/24", "fd51::/64"):
      run("ip", "route", "add", "blackhole", a)       # the gateway's own stack could not reach it
    self.far = far
    return far

  def narrow(self, network, interface):
    run("ip", "route", "replace", network, "dev", interface, *(["metric", "1"] if ":" in network else []), "mtu", "lock",
        "1300", netns=self.near)

  def __exit__(self, *_):
    for a in ("192.168.51.0/24", "fd51::/64"):
      run("ip", "route", "del", "blackhole", a)
    run("ip", "link", "del", "far0", netns=self.near)
    run("ip", "route", "replace", "192.168.50.0/24", "dev", "eth0", netns=self.near)
    end(self.far)


@scenario
def tells_the_instance_that_packets_are_too_big(bed):
  bed.service([0])
  way = Far(bed)
  with way as far, Counted(bed) as notes:
    way.narrow("192.168.51.0/24", "far0"), way.narrow("fd51::/64", "far0")
    for host in (LAN, LAN6):
      equal(inside(far, transfer, host, 1 << 20), [True, True], host)
    assert "mtu 1300" in run("ip", "route", "get", "192.168.51.2", netns=bed.instances[0][0])
    assert "mtu 1300" in run("ip", "-6", "route", "get", "fd51::2", netns=bed.instances[0][0])
  equal(notes.gained, {"routed": 2})


@scenario
def leads_fragments(bed):
  bed.service([1])            # which knows nothing of the way yet
  way = Far(bed)
  with way as far, Counted(bed) as notes:
    run("sysctl", "-q", "net.ipv4.ip_no_pmtu_disc=1", netns=far)      # then its segments may be cut, and are
    way.narrow("192.168.50.0/24", "eth0")
    equal(inside(far, transfer, LAN, 1 << 20), [True, True])
    counts = [line.split() for line in run("cat", "/proc/net/snmp", netns=bed.instances[1][0]).splitlines()
              if line.startswith("Ip:")]
    whole = int(counts[1][counts[0].index("ReasmOKs")])
    assert whole > 100, f"{whole} packets put together: nothing was cut"
  equal(notes.gained, {"routed": 1})


# ---- who gets it ----

def many(host, count):
  return collections.Counter(who(host)[0] for _ in range(count))


@scenario
def prefers_the_one_with_least_to_do(bed):
  bed.load_of(0, 5), bed.load_of(1, 2), bed.load_of(2, 9)
  equal(inside(bed.devices[0], many, LAN, 20), {"i1": 20})
  bed.load_of(1, 5, 3), bed.load_of(0, 5, 1)
  equal(inside(bed.devices[0], many, LAN, 20), {"i0": 20})
  bed.load_of(0, -1), bed.load_of(1, 0), bed.load_of(2, 0)
  spread = inside(bed.devices[0], many, LAN, 90)
  assert min(spread.values()) > 10 and len(spread) == 3, spread


@scenario
def prefers_the_one_that_is_awake(bed):
  bed.slot(0, LIVE | ASLEEP), bed.slot(1), bed.slot(2, LIVE | ASLEEP)
  bed.load_of(1, 100)
  equal(inside(bed.devices[0], many, LAN, 10), {"i1": 10})
  bed.slot(1, 0)
  assert set(inside(bed.devices[0], many, LAN, 30)) == {"i0", "i2"}


@scenario
def holds_what_is_above_every_limit(bed):
  for i in range(3):
    bed.slot(i, limit=4)
    bed.load_of(i, 4)
  with Counted(bed) as notes:
    equal(inside(bed.devices[0], many, LAN, 3), {"held": 3})
  equal(notes.gained, {"held": 3})
  bed.load_of(2, 3)
  equal(inside(bed.devices[0], many, LAN, 3), {"i2": 3})


@scenario
def never_leads_to_a_slot_of_another_function(bed):
  bed.slot(0, function=7), bed.slot(1, function=7), bed.slot(2)
  equal(inside(bed.devices[0], many, LAN, 10), {"i2": 10})
  bed.slot(2, function=7)
  equal(inside(bed.devices[0], many, LAN, 2), {"held": 2})


@scenario
def holds_ipv6_where_the_instance_has_none(bed):
  for i in range(3):
    bed.slot(i, LIVE)
  equal(inside(bed.devices[0], who, LAN6)[0], "held")
  assert inside(bed.devices[0], who, LAN)[0] != "held"


@scenario
def leads_a_thousand_services(bed):
  for n in range(1000):
    bed.service([n % 3], port=30000 + n, function=0)
  with Counted(bed) as notes:
    def each():
      # ports of our own choice: these services share instances, which the kernel's choice of ports does not know
      return [who(LAN, 30000 + n, source_port=10000 + n)[0] for n in range(1000)]
    equal(inside(bed.devices[0], each), [f"i{n % 3}" for n in range(1000)])
  equal(notes.gained, {"routed": 1000})


# ---- what becomes of connections ----

class Remote:
  """A client in a namespace that does what it is told."""

  def __init__(self, netns, *arguments, **more):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def work():
      setns(netns)
      ours.close()
      client = None
      while True:
        command = theirs.recv(65536)
        if not command:
          break
        name, args, kw = json.loads(command)
        try:
          if name == "connect":
            client = Client(*args, **kw)
            result = list(client.socket.getsockname())
          elif name == "read":
            result = client.socket.recv(1).hex()
          else:
            result = getattr(client, name)(*args, **kw)
        except Exception as e:
          result = type(e).__name__
        theirs.send(json.dumps(result).encode())
    self.socket = ours
    self.pid = spawn(work)
    theirs.close()
    if arguments:
      self.do("connect", *arguments, **more)

  def start(self, name, *args, **kw):
    self.socket.send(json.dumps([name, args, kw]).encode())

  def finish(self):
    return json.loads(self.socket.recv(65536))

  def do(self, name, *args, **kw):
    self.start(name, *args, **kw)
    return self.finish()

  def end(self):
    self.socket.close()
    end(self.pid)


@scenario
def keeps_connections_while_draining(bed):
  clients = [Remote(bed.devices[0], host) for host in (LAN, LAN6) for _ in range(4)]
  before = [c.do("who")[0] for c in clients]
  bed.service([])
  equal([c.do("who")[0] for c in clients], before)
  equal(inside(bed.devices[0], who, LAN)[0], "held")
  equal([c.do("down", 100000) for c in clients], [True] * len(clients))
  bed.no_service(PORT)          # the function is gone, its connections are over
  bed.service([0])
  equal([c.do("who")[0] for c in clients], before)
  for c in clients:
    c.end()


@scenario
def resets_at_once_when_the_generation_grows(bed):
  for host in (LAN, LAN6):
    for listening in (True, False):
      bed.hold() if listening else bed.no_hold()
      bed.slot(0), bed.service([0])
      client = Remote(bed.devices[0], host)
      equal(client.do("who")[0], "i0")
      bed.signals()
      bed.service([])
      bed.slot(0, generation=2)
      with Counted(bed) as notes:
        equal(client.do("who"), "ConnectionResetError", f"{host} {listening}")
      equal(client.do("retransmits"), 0, "it was not told at once")
      equal(notes.gained, {"stale": 1}, f"{host} {listening}")
      equal(bed.signals(), [], "what is over must not wake anybody")
      client.end()


@scenario
def resets_at_once_when_the_instance_is_not_live(bed):
  bed.service([0])
  client = Remote(bed.devices[0], LAN)
  client.do("who")
  bed.slot(0, 0)
  equal(client.do("who"), "ConnectionResetError")
  equal(client.do("retransmits"), 0, "it was not told at once")
  client.end()


@scenario
def tells_those_who_wait_when_the_process_dies(bed):
  netns = bed.instances[2][0]
  for host in (LAN, LAN6):
    server = serve(netns, "doomed", port=8081)
    bed.slot(2, port=8081), bed.service([2])
    idle, asking = Remote(bed.devices[0], host), Remote(bed.devices[0], host)
    equal(idle.do("who")[0], "doomed")
    asking.do("who")
    asking.do("say", "UP 1000000")          # it never gets that many
    idle.start("read")
    asking.start("read")
    end(server)
    assert idle.finish() in ("", "ConnectionResetError")
    assert asking.finish() in ("", "ConnectionResetError")
    idle.end(), asking.end()


@scenario
def leads_nobody_to_a_process_that_died(bed):
  """Nobody has told the gateway yet, so the service still names its slot."""
  netns = bed.instances[2][0]
  bed.home(2), bed.slot(2, port=8081), bed.service([2])
  for host, cgroup in ((LAN, None), (LAN6, None), (LAN, bed.cgroup), (LAN6, bed.cgroup)):
    caller = None if cgroup else bed.devices[0]                # one of the gateway's host, by connect()
    for name in ("first", "reborn"):
      server = serve(netns, name, port=8081, cgroup=bed.cgroup)
      equal(inside(caller, who, host, cgroup=cgroup)[0], name, f"{host} {cgroup}")
      end(server)
      equal(inside(caller, who, host, cgroup=cgroup)[0], "held", f"{host} {cgroup}")


@scenario
def leads_on_while_one_of_many_still_listens(bed):
  netns = bed.instances[2][0]
  bed.home(2), bed.slot(2, port=8081), bed.service([2])
  servers = [serve(netns, f"s{i}", port=8081, cgroup=bed.cgroup, reuse=True) for i in range(3)]
  for i, server in enumerate(servers):
    client = Remote(bed.devices[0], LAN)
    equal(client.do("who")[0][0], "s")
    client.end()
    end(server)
  equal(inside(bed.devices[0], who, LAN)[0], "held")


def serve_one_and_close(port):
  with socket.socket(socket.AF_INET6) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", port))
    listener.listen()
    one, _ = listener.accept()
  with one, one.makefile("rwb") as lines:
    while lines.readline():
      lines.write(b"alone\n")
      lines.flush()


def until_it_listens(bed):
  client = Remote(bed.devices[0])
  while not isinstance(client.do("connect", LAN), list):
    time.sleep(0.01)
  return client


@scenario
def keeps_connections_of_a_process_that_only_stopped_listening(bed):
  netns = bed.instances[2][0]
  bed.home(2), bed.slot(2, port=8081), bed.service([2])
  server = Inside(netns, serve_one_and_close, 8081, cgroup=bed.cgroup)
  client = until_it_listens(bed)
  equal(client.do("who")[0], "alone")
  equal(inside(bed.devices[0], who, LAN)[0], "held")
  equal(client.do("who")[0], "alone")
  client.end()
  server.result()


@scenario
def resets_when_the_interface_vanishes(bed):
  netns = namespace()
  ifindex = bed.veth("eth0", "hx", netns)
  run("ip", "link", "set", "hx", "master", "br0")
  run("ip", "addr", "add", "10.99.0.13/24", "dev", "eth0", netns=netns)
  run("ip", "link", "set", "eth0", "down", netns=bed.instances[2][0])
  try:
    run("ip", "route", "add", "default", "via", "10.99.0.1", netns=netns)
    bed.lib.attach_tc(bed.objects["route"], "weir_route_out", ifindex, 1, bed.pins, "out-x")
    serve(netns, "ix")
    bed.slot(2, LIVE, ifindex=ifindex), bed.service([2])
    client = Remote(bed.devices[0], LAN)
    equal(client.do("who")[0], "ix")
    run("ip", "link", "del", "hx")
    equal(client.do("who"), "ConnectionResetError")
    equal(client.do("retransmits"), 0, "it was not told at once")
    equal(inside(bed.devices[0], who, LAN)[0], "held")
    client.end()
  finally:
    bed.lib.lib.weir_detach(bed.pins.encode(), b"out-x")
    run("ip", "link", "set", "eth0", "up", netns=bed.instances[2][0])
    run("ip", "addr", "replace", "fd99::13/64", "dev", "eth0", "nodad", netns=bed.instances[2][0])
    run("ip", "route", "replace", "default", "via", "fd99::1", netns=bed.instances[2][0])
    run("ip", "route", "replace", "default", "via", "10.99.0.1", netns=bed.instances[2][0])


@scenario
def lets_a_client_use_its_port_again(bed):
  for ending in ("bye", "reset"):
    for host in (LAN, LAN6):
      port = random.randrange(20000, 30000)
      seen = []
      for i in (0, 1, 0, 2):
        bed.service([i])
        client = Remote(bed.devices[0], host, source_port=port)
        seen.append(client.do("who")[0])
        client.do(ending)
        client.end()
      equal(seen, ["i0", "i1", "i0", "i2"], f"{ending} {host}")


@scenario
def keeps_apart_what_an_instance_could_not(bed):
  """The same client port to the same instance by two service addresses: the second is held."""
  bed.service([0]), bed.service([0], port=PORT + 1)
  one = Remote(bed.devices[0], LAN, source_port=33333)
  with Counted(bed) as notes:
    two = Remote(bed.devices[0], LAN, PORT + 1, source_port=33333)
    equal(two.do("who")[0], "held")
  equal(notes.gained, {"flow_lost": 1, "held": 1})
  equal(one.do("who")[0], "i0")
  one.end(), two.end()


# ---- raw segments, to say exactly what is sent ----

def total(data):
  data += b"\0" * (len(data) % 2)
  s = sum(struct.unpack(f">{len(data) // 2}H", data))
  while s >> 16:
    s = (s & 0xffff) + (s >> 16)
  return s


def segment(source, target, sport, dport, sequence, acknowledged, flags, data=b"", offset=5):
  family = socket.AF_INET6 if ":" in source else socket.AF_INET
  tcp = struct.pack(">HHIIBBHHH", sport, dport, sequence, acknowledged, offset << 4, flags, 64000, 0, 0) + data
  pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, target) + struct.pack(">II", len(tcp), 6)
  return tcp[:16] + struct.pack(">H", 0xffff - total(pseudo + tcp)) + tcp[18:]


def packet(source, target, *tcp, length=None, ihl=5, fragment=0, **more):
  payload = segment(source, target, *tcp, **more)
  if ":" in source:
    return struct.pack(">IHBB", 6 << 28, len(payload) if length is None else length, 6, 64) + socket.inet_pton(
        socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target) + payload
  head = struct.pack(">BBHHHBBH", 0x40 | ihl, 0, 20 + len(payload) if length is None else length, 1, fragment, 64, 6, 0)
  head += socket.inet_aton(source) + socket.inet_aton(target)
  return head[:10] + struct.pack(">H", 0xffff - total(head)) + head[12:] + payload


def syns(host, count, isn, sport, between):   # a port that no other scenario is given: its SYN stays for a minute
  """Sends a SYN some times by hand, slowly, and says who answered with which sequence number; between() after the first."""
  s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
  run("nft", "table inet quiet { chain out { type filter hook output priority 0; tcp flags & rst == rst drop; }; }")
  try:
    seen = []
    for n in range(count):
      s.sendto(segment("192.168.50.2", host, sport, PORT, isn, 0, 2), (host, 0))
      soonest = time.monotonic() + 0.6    # a SYN that is sent again is answered at most twice a second
      latest, before = soonest + PATIENCE, len(seen)
      while (now := time.monotonic()) < (latest if len(seen) == before else soonest):
        s.settimeout(max((latest if len(seen) == before else soonest) - now, 0.001))
        try:
          data = s.recv(2000)
        except TimeoutError:
          break
        ports = struct.unpack(">HHII", data[20:32])
        if ports[:2] == (PORT, sport):
          seen.append((ports[2], data[33]))
      if not n:
        between()
    return seen
  finally:
    run("nft", "delete table inet quiet")


def same_answer(bed, first, then, sport, expected):
  bed.service(first)
  with Counted(bed) as notes:
    answers = inside(bed.devices[0], syns, LAN, 3, 1000, sport, lambda: bed.service(then))
  assert len(answers) >= 3 and {tuple(a) for a in answers} == {(answers[0][0], 0x12)}, answers
  notes.gained.pop("stale", 0)    # of scenarios before
  equal(notes.gained, expected)


@scenario
def keeps_the_choice_of_a_syn_sent_again(bed):
  same_answer(bed, [0], [1, 2], 61444, {"routed": 1})


@scenario
def keeps_holding_a_syn_sent_again(bed):
  same_answer(bed, [], [0, 1, 2], 61445, {"held": 1})


# ---- cold ----

@scenario
def holds_what_nobody_takes(bed):
  """Which families a listener can be given depends on what it is bound to: ::1 is IPv6 only, 127.0.0.1 as Java binds it is both."""
  bed.service([])
  for bound, families in (("::", "46"), ("::ffff:127.0.0.1", "46"), ("::1", "6"), ("127.0.0.1", "4")):
    bed.hold(bound)
    bed.signals()
    for family, host in (("4", LAN), ("6", LAN6)):
      with Counted(bed) as notes:
        answer = inside(bed.devices[0], try_peer, host)
      if family in families:
        equal((answer[0], answer[2].replace("::ffff:", ""), answer[3]), ("held", host, str(PORT)), bound)
        equal(notes.gained, {"held": 1}, bound)
      else:
        equal((answer, notes.gained), (None, {"no_listener": 1}), bound)
    equal(bed.signals()[0][:3], (1, 0, PORT))
    time.sleep(0.1)


def try_peer(host):
  try:
    return who(host)
  except ConnectionRefusedError:
    return None


@scenario
def signals_a_burst_once(bed):
  bed.service([])
  bed.service([], port=PORT + 1, function=1)
  bed.signals()
  start = time.monotonic()

  def burst():
    return [who(LAN, PORT + n % 2)[0] for n in range(40)]
  equal(inside(bed.devices[0], burst), ["held"] * 40)
  took = time.monotonic() - start
  found = bed.signals()
  equal({f for _, f, _, _ in found}, {0, 1})
  assert len(found) <= 2 * (1 + took / 0.1), (found, took)


@scenario
def refuses_when_nobody_listens(bed):
  bed.service([])
  bed.no_hold()
  with Counted(bed) as notes:
    try:
      inside(bed.devices[0], who, LAN)
      raise AssertionError("somebody answered")
    except RuntimeError as e:
      assert "Refused" in str(e), e
  equal(notes.gained, {"no_listener": 1})


@scenario
def held_connections_stay_held_while_an_instance_comes(bed):
  bed.service([])
  client = Remote(bed.devices[0], LAN)
  with Counted(bed) as notes:
    equal(client.do("who")[0], "held")
    bed.service([0])
    equal(client.do("who")[0], "held")
    equal(client.do("down", 1 << 20), True)
    equal(inside(bed.devices[0], who, LAN)[0], "i0")
  equal({k: v for k, v in notes.gained.items() if k != "held"}, {"routed": 1})
  client.end()


@scenario
def leaves_other_ports_and_addresses_alone(bed):
  plain = serve(bed.gateway, "plain", port=8099)
  foreign = serve(bed.gateway, "foreign", port=PORT, host="10.99.0.1")
  with Counted(bed) as notes:
    equal(inside(bed.devices[0], who, LAN, 8099)[0], "plain")
    equal(inside(bed.devices[0], who, LAN6, 8099)[0], "plain")
    equal(inside(bed.devices[0], who, "10.99.0.1")[0], "foreign")
    equal(inside(bed.gateway, who, "127.0.0.1", 8099, cgroup=bed.cgroup)[0], "plain")
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((LAN, PORT))
    inside(bed.devices[0], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"coap", (LAN, PORT)))
    udp.settimeout(PATIENCE)
    equal(udp.recv(10), b"coap")
    udp.close()
  equal(notes.gained, {})
  end(plain), end(foreign)


# ---- policy ----

def knock(bed, host, count=1, source=None):
  """
  Connects so many times at once; who answered, "-" for those who were denied. A denied connection hears nothing, so it is
  given up when the programs have noted so many.
  """
  family = socket.AF_INET6 if ":" in host else socket.AF_INET
  denied, begun = lambda: sum(n for k, n in bed.notes().items() if k.startswith("denied")), time.monotonic()
  before, all_of = denied(), []
  for _ in range(count):
    s = socket.socket(family)
    s.setblocking(False)
    if source:
      s.bind((source, 0))
    s.connect_ex((host, PORT))
    all_of.append(s)
  until = begun + PATIENCE

  def state(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]     # 1: established, 2: SYN sent
  while sum(state(s) == 2 for s in all_of) > denied() - before and time.monotonic() < until:
    time.sleep(0.001)
  answers, states, took = [], [state(s) for s in all_of], time.monotonic() - begun
  for s, was in zip(all_of, states):
    if was == 2:
      answers.append("-")
    else:
      s.settimeout(PATIENCE)
      try:
        s.sendall(b"WHO\n")
        answers.append(s.recv(100).decode()[:1] or "-")
      except OSError:
        answers.append("-")
    s.close()
  return "".join(answers), took


@scenario
def filters_sources(bed):
  bed.put("sources", struct.pack("<I", 32 + 96 + 24) + struct.pack(">I", 0) + address("192.168.50.0"), struct.pack("<I", 1))
  bed.put("sources", struct.pack("<I", 32 + 64) + struct.pack(">I", 0) + address("fd60::"), struct.pack("<I", 1))
  for slots, letter in (([0, 1, 2], "i"), ([], "h")):
    bed.service(slots, flags=FILTERED)
    with Counted(bed) as notes:
      equal(inside(bed.devices[0], knock, bed, LAN)[0], letter)
      equal(inside(bed.devices[0], knock, bed, LAN6)[0], "-")
      equal(inside(bed.devices[1], knock, bed, OTHER)[0], "-")
      equal(inside(bed.devices[1], knock, bed, OTHER6)[0], letter)
    assert notes.gained["denied_source"] >= 2, notes.gained             # more if a SYN had the time to be sent again
    for host in (LAN, "127.0.0.1", "::1", LAN6):
      equal(inside(bed.gateway, who, host, cgroup=bed.cgroup)[0][0], letter, host)
    equal(inside(bed.instances[0][0], knock, bed, LAN)[0], "-", "instances are not on the list")


@scenario
def limits_the_rate_of_a_client(bed):
  run("ip", "addr", "add", "192.168.50.3/24", "dev", "eth0", netns=bed.devices[0])
  try:
    for slots, letter in (([0, 1, 2], "i"), ([], "h")):
      bed.clear("buckets", 24)
      bed.service(slots, flags=LIMITED, rate=1, burst=5)
      with Counted(bed) as notes:
        denied = 0
        for host in (LAN, LAN6):
          answers, took = inside(bed.devices[0], knock, bed, host, 7)
          led = answers.count(letter)
          assert led + answers.count("-") == 7 and 5 <= led <= 5 + took, (answers, took)     # one a second comes anew
          denied += 7 - led
        equal(inside(bed.devices[0], knock, bed, LAN, 2, "192.168.50.3")[0], letter * 2, "each client has its own")
      assert notes.gained["denied_rate"] >= denied, notes.gained
      time.sleep(1)
      equal(inside(bed.devices[0], knock, bed, LAN)[0], letter, "it fills again")
      equal({name[0] for name in inside(bed.gateway, many, "127.0.0.1", 8, cgroup=bed.cgroup)}, {letter})
  finally:
    run("ip", "addr", "del", "192.168.50.3/24", "dev", "eth0", netns=bed.devices[0])


# ---- local callers ----

def peer(host, family=None, source=None):
  client = Client(host, family=family, source=source)
  try:
    return [client.who()[0], *client.socket.getpeername()[:2]]
  finally:
    client.close()


@scenario
def leads_local_callers(bed):
  six = int(socket.AF_INET6)
  for flags in (LIVE, LIVE | IPV6):
    for i in range(3):
      bed.slot(i, flags)
    with Counted(bed) as notes:
      for host, family in (("127.0.0.1", None), (LAN, None), ("::1", None), (LAN6, None), ("::ffff:127.0.0.1", six),
                           ("::ffff:" + LAN, six)):
        answer = inside(bed.gateway, peer, host, family, cgroup=bed.cgroup)
        equal((answer[0][0], answer[1], answer[2]), ("i", host, PORT), f"{host} {flags}")
    equal(notes.gained, {"local": 6})


@scenario
def holds_local_callers_when_nobody_is_there(bed):
  bed.service([])
  for host in ("127.0.0.1", LAN, "::1", LAN6):
    equal(inside(bed.gateway, peer, host, cgroup=bed.cgroup), ["held", host, PORT])


@scenario
def leaves_bound_sockets_and_other_namespaces_alone(bed):
  equal(inside(bed.gateway, peer, "127.0.0.1", None, "127.0.0.1", cgroup=bed.cgroup)[0], "held")
  equal(inside(bed.gateway, peer, "::1", None, "::1", cgroup=bed.cgroup)[0], "held")
  with Counted(bed) as notes:
    equal(inside(bed.devices[0], who, LAN, cgroup=bed.cgroup)[0][0], "i")    # by TC, not by connect
  equal(notes.gained, {"routed": 1})
  bed.config()
  bed.put("config", struct.pack("<I", 0), bytes(16))
  equal(inside(bed.gateway, who, "127.0.0.1", cgroup=bed.cgroup)[0], "held")


# ---- much ----

async def crowd(host, count):
  limit = asyncio.Semaphore(200)
  names = collections.Counter()

  async def one():
    async with limit:
      return await asyncio.open_connection(host, PORT, local_addr=("192.168.50.4", 0))
  pairs = await asyncio.gather(*[one() for _ in range(count)])
  for _ in range(2):
    for _, writer in pairs:
      writer.write(b"WHO\n")
    for reader, _ in pairs:
      names[(await asyncio.wait_for(reader.readline(), PATIENCE)).split()[0].decode()] += 1
  for _, writer in pairs:
    writer.close()
  return names


@scenario
def carries_a_crowd(bed):
  count = int(os.environ.get("CROWD", "6000"))
  # an address that instances do not remember connections of
  run("ip", "addr", "add", "192.168.50.4/24", "dev", "eth0", netns=bed.devices[0])
  with Counted(bed) as notes:
    names = inside(bed.devices[0], lambda: asyncio.run(crowd(LAN, count)))
  run("ip", "addr", "del", "192.168.50.4/24", "dev", "eth0", netns=bed.devices[0])
  equal(sum(names.values()), 2 * count)
  equal(notes.gained, {"routed": count})


# ---- single packets through weir_route_in ----

class Test:
  """BPF_PROG_TEST_RUN of what hangs on a pinned link."""

  def __init__(self, bed, link):
    fd = self.bpf(7, struct.pack("QII", self.address(f"{bed.pins}/link-{link}".encode() + b"\0"), 0, 0))
    info = ctypes.create_string_buffer(128)
    self.bpf(15, struct.pack("IIQ", fd, 128, ctypes.addressof(info)))
    os.close(fd)
    self.fd = self.bpf(13, struct.pack("III", struct.unpack_from("III", info.raw)[2], 0, 0))

  def address(self, data):
    self.kept = ctypes.create_string_buffer(data, len(data))
    return ctypes.addressof(self.kept)

  def bpf(self, command, attributes):
    attr = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    self.attr = attr
    result = libc.syscall(321 if os.uname().machine == "x86_64" else 280, command, attr, 128)
    if result < 0:
      raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

  def run(self, data=b"", context=b"", out_context=0):
    given = ctypes.create_string_buffer(data, max(len(data), 1))
    back = ctypes.create_string_buffer(4096)
    ctx = ctypes.create_string_buffer(context, max(len(context), 1))
    ctx_back = ctypes.create_string_buffer(512)
    self.bpf(10, struct.pack("IIIIQQIIIIQQ", self.fd, 0, len(data), 4096 if data else 0,
                             ctypes.addressof(given) if data else 0, ctypes.addressof(back) if data else 0, 0, 0,
                             len(context), out_context, ctypes.addressof(ctx) if context else 0,
                             ctypes.addressof(ctx_back) if out_context else 0))
    _, verdict, _, size = struct.unpack_from("iiII", self.attr.raw)
    self.context = ctx_back.raw[:out_context]
    return verdict, back.raw[:size]


def frame(inner):
  return bytes(12) + (b"\x86\xdd" if inner[0] >> 4 == 6 else b"\x08\x00") + inner


def sums_are_right(data):
  ip = data[14:]
  if ip[0] >> 4 == 4:
    return total(ip[:20]) == 0xffff and total(ip[12:20] + struct.pack(">HH", 6, len(ip) - 20) + ip[20:]) == 0xffff
  return total(ip[8:40] + struct.pack(">II", len(ip) - 40, 6) + ip[40:]) == 0xffff


@scenario
def rewrites_one_packet_rightly(bed):
  bed.service([0])
  way_in, way_out = Test(bed, "in-0"), Test(bed, "out-0")
  for mine, service, instance in (("192.168.50.9", LAN, "10.99.0.11"), ("fd50::9", LAN6, "fd99::11")):
    family = socket.AF_INET6 if ":" in mine else socket.AF_INET
    width, at = (16, 14 + 8) if ":" in mine else (4, 14 + 12)
    for n, (flags, data) in enumerate(((2, b""), (0x10, b""), (0x18, b"odd"), (0x18, b"x" * 1400), (0x11, b""))):
      verdict, after = way_in.run(frame(packet(mine, service, 5555, PORT, 7 + n, 1, flags, data=data)))
      equal(verdict, 7, "redirected")
      assert sums_are_right(after), (mine, flags)
      equal(after[at:at + 2 * width], socket.inet_pton(family, mine) + socket.inet_pton(family, instance))
      equal(after[-20 - len(data):][:4], struct.pack(">HH", 5555, 8080))
      verdict, after = way_out.run(frame(packet(instance, mine, 8080, 5555, 9, 8, 0x18, data=data)))
      equal(verdict, 7, "redirected")
      assert sums_are_right(after), (mine, flags)
      equal(after[at:at + 2 * width], socket.inet_pton(family, service) + socket.inet_pton(family, mine))
      equal(after[-20 - len(data):][:4], struct.pack(">HH", PORT, 5555))
      equal(after[:12], bytes(12))


@scenario
def leaves_packets_alone_that_lie_or_are_not_ours(bed):
  way_in, way_out = Test(bed, "in-0"), Test(bed, "out-0")
  mine, six = "192.168.50.9", "fd50::9"
  syn = (5555, PORT, 7, 0, 2)
  lies = [packet(mine, LAN, *syn, length=39), packet(mine, LAN, *syn, length=41), packet(mine, LAN, *syn, length=65535),
          packet(mine, LAN, *syn, length=0), packet(mine, LAN, *syn, offset=4), packet(mine, LAN, *syn, offset=15),
          packet(six, LAN6, *syn, length=19), packet(six, LAN6, *syn, length=21), packet(six, LAN6, *syn, length=0),
          packet(six, LAN6, *syn, offset=6)]
  others = [packet(mine, LAN, *syn, ihl=4), packet(mine, LAN, *syn, ihl=15), packet(mine, LAN, *syn, fragment=0x2000),
            packet(mine, LAN, *syn, fragment=1), packet(mine, "192.168.50.77", *syn), packet(mine, LAN, 5555, 99, 7, 0, 2),
            packet(mine, LAN, *syn)[:39], packet(mine, LAN, *syn)[:21], packet(six, LAN6, *syn)[:45],
            packet(six, LAN6, *syn).replace(b"\x06\x40", b"\x2c\x40", 1), packet(six, "fd50::77", *syn)]
  with Counted(bed) as notes:
    for n, p in enumerate(lies):
      equal(way_in.run(frame(p)), (-1, frame(p)), f"lie {n}")
  equal(notes.gained, {"malformed": len(lies)})
  with Counted(bed) as notes:
    for n, p in enumerate(others):
      equal(way_in.run(frame(p)), (-1, frame(p)), f"other {n}")
      equal(way_out.run(frame(p)), (-1, frame(p)), f"other {n}")
    for n in range(20000):                                   # anything at all
      p = bytearray(random.choice(others + lies + [packet(mine, LAN, *syn)]))
      for _ in range(random.randrange(1, 6)):
        p[random.randrange(len(p))] = random.randrange(256)
      if p[0] >> 4 == 6 and len(p) < 40:
        continue                                               # the kernel does not take such for a test
      verdict, after = way_in.run(frame(bytes(p)))
      assert verdict in (-1, 7), verdict
      if verdict == 7:
        equal(after[14 + 16:14 + 19] if p[0] >> 4 == 4 else after[14 + 24:14 + 26],
              b"\x0a\x63\x00" if p[0] >> 4 == 4 else b"\xfd\x99")
      else:
        equal(after, frame(bytes(p)))


@scenario
def assigns_the_listener_in_a_test_run(bed):
  bed.service([])
  bed.no_hold()
  s = socket.socket(socket.AF_INET6)
  s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
  s.bind(("::ffff:127.0.0.1", 0))
  s.listen(1)
  bed.lib.map_listener(bed.map("listener"), s.getsockname()[1])
  cookie = struct.unpack("Q", s.getsockopt(socket.SOL_SOCKET, 57, 8))[0]
  test = Test(bed, "wake")

  def ask(port, protocol=6, local=LAN):
    context = struct.pack("<QII4s16s2sH4s16sII", 0, int(socket.AF_INET), protocol, socket.inet_aton("192.168.50.9"),
                          bytes(16), struct.pack(">H", 999), 0, socket.inet_aton(local), bytes(16), port, 0)
    verdict, _ = test.run(context=context.ljust(72, b"\0"), out_context=72)
    return verdict, struct.unpack("Q", test.context[:8])[0]
  equal(ask(PORT), (1, cookie))
  equal(ask(PORT + 5), (1, 0))
  equal(ask(PORT, 17), (1, 0))
  equal(ask(PORT, local="192.168.50.77"), (1, 0))
  bed.service([], flags=FILTERED)
  equal(ask(PORT)[0], 0)
  s.close()


# ---- the map of connections is too small; last, because it takes other programs ----

@scenario
def never_errs_when_the_map_is_full(bed):
  for name in [n for n in os.listdir(bed.pins) if n.startswith("link-")]:
    bed.lib.detach(bed.pins, name[5:])
  for name in ("flows", "returns"):
    os.unlink(f"{bed.pins}/{name}")
    if name in bed.maps:
      bed.lib.close(bed.maps.pop(name))
  for handle in bed.objects.values():
    bed.lib.lib.weir_object_close(handle)
  bed.objects.clear()
  bed.load("route", "wake", "local", directory=bed.out + "/test/route")
  bed.attach()
  bed.reset()

  def ask(client):
    try:
      return client.who()[0]
    except OSError as e:
      return type(e).__name__

  def crowd_that_may_fail(host, count):
    older = [Client(host, timeout=PATIENCE) for _ in range(20)]
    first = [ask(c) for c in older]
    newer = [Client(host, timeout=PATIENCE) for _ in range(count)]
    again = [ask(c) if a[0] == "i" else a for a, c in zip(first, older)]
    return first, again, [ask(c) for c in newer]

  for host in (LAN, LAN6):
    bed.signals()
    with Counted(bed) as notes:
      first, again, newer = inside(bed.devices[0], crowd_that_may_fail, host, 300)
    # of a map as small as this, each processor keeps a good part to itself
    assert set(first) & {"i0", "i1", "i2"} and set(first) <= {"i0", "i1", "i2", "ConnectionResetError"}, first
    # what was forgotten is reset, never answered by another instance and never taken for new
    assert all(b in (a, "ConnectionResetError") for a, b in zip(first, again)), (first, again)
    assert set(newer) <= {"i0", "i1", "i2", "held", "ConnectionResetError"}, newer
    resets = (again + newer).count("ConnectionResetError")
    assert 0 < resets <= notes.gained["unknown"], notes.gained
    assert notes.gained.get("stale", 0) == 0, notes.gained
    equal(notes.gained["routed"] + notes.gained.get("held", 0), 320)
    equal(inside(bed.devices[0], who, host)[0][0] in "ih", True)


def complaints():
  """What the kernel has warned of; others may use this kernel at the same time, so only what nothing should cause."""
  text = subprocess.run(["dmesg"], capture_output=True, text=True).stdout
  return [line for line in text.splitlines() if any(w in line for w in ("WARNING:", "BUG:", "Oops", "csum failure"))]


def main():
  out, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
  before = len(complaints())
  bed = Bed(out)
  passed, failed = 0, 0

  def too_long(*_):
    raise TimeoutError("the scenario takes too long")
  signal.signal(signal.SIGALRM, too_long)
  try:
    for fn in scenarios:
      if names and fn.__name__ not in names:
        continue
      start = time.monotonic()
      signal.alarm(300)
      try:
        bed.reset()
        fn(bed)
        passed += 1
        print(f"ok    {fn.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
      except Exception:
        failed += 1
        print(f"FAIL  {fn.__name__}\n{traceback.format_exc()}", flush=True)
      signal.alarm(0)
  finally:
    bed.close()
  new = complaints()[before:]
  if new:
    failed += 1
    print("FAIL  the kernel warned:", *new, sep="\n  ")
  print(f"= {passed} passed, {failed} failed")
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
