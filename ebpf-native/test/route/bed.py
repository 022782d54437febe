# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A gateway, devices and instances in namespaces of their own, and the programs under test between them.

Every namespace is anonymous and held by a child that dies with this process; the bpffs is mounted in a mount namespace of
this process. So nothing is left however it ends.
"""
import asyncio
import ctypes
import fcntl
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
LIVE, ASLEEP, IPV6 = 1, 2, 4
FILTERED, LIMITED = 1, 2
NOTES = ("signal_lost flow_lost held no_listener routed local denied_source denied_rate denied_egress malformed "
         "stale unknown handed_over").split()
TAGGED = 1
NO_SLOT = 0xffffffff
PORT = 20000                    # of service 0
PATIENCE = 60                   # seconds, for what should happen at once, on a machine that does something else


def check(result, what):
  if result:
    raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def setns(pid):
  fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
  check(libc.setns(fd, CLONE_NEWNET), "setns")
  os.close(fd)


def run(*command, netns=None):
  if netns:
    command = ("nsenter", f"--net=/proc/{netns}/ns/net", *command)
  done = subprocess.run(command, capture_output=True, text=True, timeout=120)
  if done.returncode:
    raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
  return done.stdout


children = set()


def spawn(work):
  """A child that does work() and dies with us."""
  parent = os.getpid()
  pid = os.fork()
  if pid:
    children.add(pid)
    return pid
  try:
    signal.alarm(0)
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGINT):
      signal.signal(number, signal.SIG_DFL)
    libc.prctl(1, signal.SIGKILL)
    if os.getppid() == parent:
      work()
  except BaseException:
    import traceback
    traceback.print_exc()
  finally:
    os._exit(0)


def end(pid):
  if pid in children:
    children.discard(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def namespace():
  ready, done = os.pipe()

  def hold():
    check(libc.unshare(CLONE_NEWNET), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"])
    os.write(done, b".")
    while True:
      signal.pause()
  pid = spawn(hold)
  assert os.read(ready, 1) == b"."
  os.close(ready)
  os.close(done)
  return pid


class Inside:
  """fn(*arguments) in another network namespace, in a child; what it returns or raises comes back by result()."""

  def __init__(self, netns, fn, *arguments, cgroup=None):
    self.pipe, out = os.pipe()

    def work():
      os.close(self.pipe)
      if netns:
        setns(netns)
      if cgroup:
        with open(f"{cgroup}/cgroup.procs", "w") as procs:
          procs.write(str(os.getpid()))
      try:
        answer = {"result": fn(*arguments)}
      except Exception as e:
        import traceback
        answer = {"error": f"{type(e).__name__}: {e}", "trace": traceback.format_exc()}
      with os.fdopen(out, "w") as pipe:
        json.dump(answer, pipe)
    self.pid = spawn(work)
    os.close(out)

  def result(self):
    with os.fdopen(self.pipe) as pipe:
      text = pipe.read()
    children.discard(self.pid)
    os.waitpid(self.pid, 0)
    answer = json.loads(text)
    if "error" in answer:
      raise RuntimeError(answer["error"] + "\n" + answer["trace"])
    return answer["result"]


def inside(netns, fn, *arguments, cgroup=None):
  return Inside(netns, fn, *arguments, cgroup=cgroup).result()


# ---- what speaks over the wire ----

def pattern(size):
  block = hashlib.sha512(b"weir").digest() * 1024
  return (block * (size // len(block) + 1))[:size]


async def converse(name, reader, writer):
  try:
    while True:
      line = (await reader.readline()).decode().split()
      if not line:
        break
      if line[0] == "WHO":
        writer.write(f"{name} {writer.get_extra_info('peername')[0]} {writer.get_extra_info('sockname')[0]} "
                     f"{writer.get_extra_info('sockname')[1]}\n".encode())
      elif line[0] == "UP":
        data = await reader.readexactly(int(line[1]))
        writer.write((hashlib.sha1(data).hexdigest() + "\n").encode())
      elif line[0] == "DOWN":
        writer.write(pattern(int(line[1])))
      elif line[0] == "BYE":
        break
      await writer.drain()
  except (ConnectionError, asyncio.IncompleteReadError):
    pass
  finally:
    writer.close()


def serve(netns, name, port=8080, listener=None, host=None, cgroup=None, reuse=False):
  ready, done = os.pipe()

  async def main():
    if listener:
      server = await asyncio.start_server(lambda r, w: converse(name, r, w), sock=listener, limit=1 << 20, backlog=4096)
    else:
      server = await asyncio.start_server(lambda r, w: converse(name, r, w), host or "::", port, backlog=4096)
    os.write(done, b".")
    await server.serve_forever()

  def work():
    if netns:
      setns(netns)
    if cgroup:
      with open(f"{cgroup}/cgroup.procs", "w") as procs:
        procs.write(str(os.getpid()))
    if not listener and not host:
      # one socket for both families
      one = socket.socket(socket.AF_INET6)
      one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse)
      one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
      one.bind(("::", port))
      one.listen(4096)

      async def dual():
        server = await asyncio.start_server(lambda r, w: converse(name, r, w), sock=one, limit=1 << 20, backlog=4096)
        os.write(done, b".")
        await server.serve_forever()
      asyncio.run(dual())
    else:
      asyncio.run(main())
  pid = spawn(work)
  assert os.read(ready, 1) == b"."
  os.close(ready)
  os.close(done)
  return pid


class Client:
  def __init__(self, host, port=PORT, source=None, timeout=PATIENCE, family=None, source_port=0):
    family = family or (socket.AF_INET6 if ":" in host else socket.AF_INET)
    self.socket = socket.socket(family)
    self.socket.settimeout(timeout)
    self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if source or source_port:
      self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      self.socket.bind((source or ("::" if family == socket.AF_INET6 else ""), source_port))
    self.socket.connect((host, port))
    self.file = self.socket.makefile("rwb")

  def ask(self, line, data=b""):
    self.file.write(line.encode() + b"\n" + data)
    self.file.flush()
    return self.file.readline().decode().split()

  def who(self):
    return self.ask("WHO")

  def say(self, line):
    self.file.write(line.encode() + b"\n")
    self.file.flush()

  def retransmits(self):
    return struct.unpack_from("I", self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 100)[0]

  def up(self, size):
    data = pattern(size)
    return self.ask(f"UP {size}", data) == [hashlib.sha1(data).hexdigest()]

  def down(self, size):
    self.file.write(f"DOWN {size}\n".encode())
    self.file.flush()
    return self.file.read(size) == pattern(size)

  def close(self):
    self.file.close()
    self.socket.close()

  def bye(self):
    """The server ends first, and so keeps TIME_WAIT."""
    assert self.ask("BYE") == []
    self.close()

  def reset(self):
    self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    self.close()


def who(host, port=PORT, **more):
  client = Client(host, port, **more)
  try:
    return client.who()
  finally:
    client.close()


def transfer(host, size):
  client = Client(host)
  result = [client.up(size), client.down(size)]
  client.close()
  return result


# ---- the kernel's side ----

class Library:
  def __init__(self, path):
    self.lib = ctypes.CDLL(path)
    self.problems = []
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p)
    self.log = kind(lambda level, text: self.problems.append(text.decode()) if level == 0 else None)
    self.lib.weir_ebpf_log(self.log)

  def __getattr__(self, name):
    function = getattr(self.lib, "weir_" + name)

    def call(*arguments):
      result = function(*[a.encode() if isinstance(a, str) else a for a in arguments])
      if result < 0:
        raise OSError(-result, f"weir_{name}{arguments}: {os.strerror(-result)} {self.problems[-20:]}")
      return result
    return call


def address(text):
  return (socket.inet_pton(socket.AF_INET6, text) if ":" in text
          else b"\0" * 10 + b"\xff\xff" + socket.inet_aton(text))


def offloads(interface, on):
  """Checksums and segmentation by the (virtual) card, or not: then the checksums on the wire are real."""
  with socket.socket() as s:
    for command in (0x17, 0x1f):                                                # ETHTOOL_STXCSUM, ETHTOOL_STSO
      value = ctypes.create_string_buffer(struct.pack("II", command, on))
      fcntl.ioctl(s, 0x8946, struct.pack("16sP", interface.encode(), ctypes.addressof(value)))


def mtu(interface, size):
  run("ip", "link", "set", interface, "mtu", str(size))


class Bed:
  def __init__(self, out):
    self.out = out
    self.lib = Library(f"{out}/lib/{'amd64' if os.uname().machine == 'x86_64' else 'arm64'}/libweir_ebpf.so")
    check(libc.unshare(CLONE_NEWNS), "unshare")
    check(libc.mount(None, b"/", None, 0x40000 | 0x4000, None), "make / private")
    self.run_dir = tempfile.mkdtemp(prefix=f"weir-route-{os.getpid()}-")
    self.bpffs = self.run_dir + "/bpf"
    self.lib.bpffs_mount(self.bpffs)
    self.pins = self.bpffs + "/weir"
    self.lib.bpffs_mount(self.pins)
    self.gateway = namespace()
    setns(self.gateway)
    self.cgroup = None
    for line in open("/proc/self/mounts"):
      if line.split()[2] == "cgroup2":
        self.cgroup = f"{line.split()[1]}/weir-route-{os.getpid()}"
    os.mkdir(self.cgroup)
    self.devices = [self.device(i) for i in range(2)]
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "link", "set", "br0", "up")
    run("ip", "addr", "add", "10.99.0.1/24", "dev", "br0")
    run("ip", "addr", "add", "fd99::1/64", "dev", "br0", "nodad")
    for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
      with open("/proc/sys/" + key.replace(".", "/"), "w") as f:
        f.write("1")
    self.instances = [self.instance(i) for i in range(3)]
    self.servers = [serve(netns, f"i{i}") for i, (netns, _) in enumerate(self.instances)]
    self.objects = {}
    self.maps = {}
    self.cut = set()
    self.load("route", "local", "wake", "listen")
    self.attach()

  def veth(self, inside_name, outside_name, netns, mtu=1500):
    run("ip", "link", "add", outside_name, "mtu", str(mtu), "type", "veth", "peer", "name", inside_name, "mtu",
        str(mtu), "netns", str(netns))
    run("ip", "link", "set", outside_name, "up")
    run("ip", "link", "set", inside_name, "up", netns=netns)
    return socket.if_nametoindex(outside_name)

  def device(self, i):
    netns = namespace()
    self.veth("eth0", f"lan{i}", netns)
    n = 50 + 10 * i
    for a, b in ((f"192.168.{n}.1/24", f"192.168.{n}.2/24"), (f"fd{n}::1/64", f"fd{n}::2/64")):
      six = ["nodad"] if ":" in a else []
      run("ip", "addr", "add", a, "dev", f"lan{i}", *six)
      run("ip", "addr", "add", b, "dev", "eth0", *six, netns=netns)
      run("ip", "route", "add", "default", "via", a.split("/")[0], netns=netns)
    return netns

  def instance(self, i):
    netns = namespace()
    ifindex = self.veth("eth0", f"h{i}", netns)
    run("ip", "link", "set", f"h{i}", "master", "br0")
    run("ip", "addr", "add", f"10.99.0.{11 + i}/24", "dev", "eth0", netns=netns)
    run("ip", "route", "add", "default", "via", "10.99.0.1", netns=netns)
    run("ip", "addr", "add", f"fd99::{11 + i}/64", "dev", "eth0", "nodad", netns=netns)
    run("ip", "route", "add", "default", "via", "fd99::1", netns=netns)
    return netns, ifindex

  def load(self, *names, directory=None):
    for name in names:
      handle = ctypes.c_void_p()
      self.lib.object_load(f"{directory or self.out + '/bpf'}/{name}.bpf.o", self.pins, 0, 0, ctypes.byref(handle))
      self.objects[name] = handle

  def attach(self):
    self.lib.attach_netns(self.objects["wake"], "weir_wake", self.pins, "wake")
    for i in range(2):
      self.lib.attach_tc(self.objects["route"], "weir_route_in", socket.if_nametoindex(f"lan{i}"), 1, self.pins, f"in-{i}")
    for i, (_, ifindex) in enumerate(self.instances):
      self.lib.attach_tc(self.objects["route"], "weir_route_out", ifindex, 1, self.pins, f"out-{i}")
    for name in ("connect4", "connect6", "getpeername4", "getpeername6"):
      self.lib.attach_cgroup(self.objects["local"], f"weir_{name}", self.cgroup, self.pins, name)
    if "listen" in self.objects:
      self.lib.attach_cgroup(self.objects["listen"], "weir_listen", self.cgroup, self.pins, "listen")

  def map(self, name):
    if name not in self.maps:
      self.maps[name] = self.lib.map_open(self.pins, name)
    return self.maps[name]

  def put(self, name, key, value):
    self.lib.map_put(self.map(name), key, value, ctypes.c_uint64(0))

  def keys(self, name, size):
    found, key, after = [], None, ctypes.create_string_buffer(size)
    while self.lib.lib.weir_map_next(self.map(name), key, after) == 0:
      key = after.raw
      found.append(key)
    return found

  def get(self, name, key, size):
    value = ctypes.create_string_buffer(size)
    self.lib.map_get(self.map(name), key, value)
    return value.raw

  def remove(self, name, key):
    self.lib.lib.weir_map_delete(self.map(name), key)

  def clear(self, name, size):
    for key in self.keys(name, size):
      self.remove(name, key)

  def service(self, slots, port=PORT, function=0, flags=0, rate=0, burst=0):
    self.put("services", struct.pack(">HBx", port, 6),
             struct.pack("<5I16II", function, flags, rate, burst, len(slots), *slots, *[0] * (16 - len(slots)), 0))

  def no_service(self, port):
    self.remove("services", struct.pack(">HBx", port, 6))

  def slot(self, i, flags=LIVE | IPV6, generation=1, function=0, limit=0, instance=None, ifindex=None, port=8080):
    instance = i if instance is None else instance
    value = struct.pack("<QQ16s16s5I", instance + 1, 0, address(f"10.99.0.{11 + instance}"),
                        address(f"fd99::{11 + instance}") if flags & IPV6 else bytes(16), function, flags, generation,
                        self.instances[instance][1] if ifindex is None else ifindex, limit)
    self.put("instances", struct.pack("<I", i), value + struct.pack(">H2xQ", port, 0))

  def home(self, i):
    """The gateway says whose network namespace it is."""
    cookie = ctypes.c_uint64()
    self.lib.netns_cookie(f"/proc/{self.instances[i][0]}/ns/net", ctypes.byref(cookie))
    self.put("homes", struct.pack("<Q", cookie.value), struct.pack("<I", i))

  def load_of(self, i, in_flight, connections=0):
    self.put("loads", struct.pack("<I", i), struct.pack("<qqQQ", in_flight, connections, 0, 0))

  def config(self, flags=0, bridge=0):
    cookie = ctypes.c_uint64()
    self.lib.netns_cookie(None, ctypes.byref(cookie))
    self.put("config", struct.pack("<I", 0), struct.pack("<QII", cookie.value, flags, bridge))

  def notes(self):
    out = (ctypes.c_uint64 * len(NOTES))()
    self.lib.map_read(self.map("notes"), 0, len(NOTES), 8, out)
    return dict(zip(NOTES, out))

  def hold(self, host="::ffff:127.0.0.1"):
    """The gateway's listener."""
    self.no_hold()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family)
    if family == socket.AF_INET6:
      s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind((host, 0))
    s.listen(4096)
    if host == "::":
      self.put("listener", struct.pack("<I", 0), struct.pack("<Q", s.fileno()))
    else:
      self.lib.map_listener(self.map("listener"), s.getsockname()[1])
    self.holder = serve(None, "held", listener=s)
    s.close()

  def no_hold(self):
    if getattr(self, "holder", None):
      end(self.holder)
      self.holder = None

  def signals(self, timeout_ms=50):
    if not hasattr(self, "ring"):
      self.ring = ctypes.c_void_p()
      self.lib.ring_open(self.map("signals"), ctypes.byref(self.ring))
    out, found = ctypes.create_string_buffer(48 * 64), []
    while True:
      n = self.lib.ring_read(self.ring, out, 64, timeout_ms)
      if not n:
        return found
      for i in range(n):
        at, netns, cgroup, kind, function, slot, generation, port, family, _ = struct.unpack_from("<QQQIIII2sHI", out, 48 * i)
        found.append((kind, function, struct.unpack(">H", port)[0], family))

  def unsettled(self):
    """Connections of which one end is still about to say something."""
    found = set()
    for netns in [self.gateway, *self.devices, *[n for n, _ in self.instances]]:
      for name in ("tcp", "tcp6"):
        with open(f"/proc/{netns}/net/{name}") as table:
          for line in table.readlines()[1:]:
            _, local, remote, state, queues = line.split()[:5]
            if state in ("04", "08", "09", "0B") or state == "01" and not queues.startswith("00000000:"):
              found.add((netns, local, remote))
    return found

  def settle(self):
    """Waits for what connections of the scenario before still have to say; those whose way was cut never will."""
    until = time.monotonic() + 2
    while self.unsettled() - self.cut and time.monotonic() < until:
      time.sleep(0.005)
    self.cut = self.unsettled()

  def reset(self):
    """As the scenarios expect it: three instances, one service, nothing remembered."""
    self.settle()
    for name, size in (("flows", 40), ("returns", 40), ("buckets", 24), ("stale", 40), ("services", 4), ("sources", 24),
                       ("addresses", 16), ("homes", 8)):
      self.clear(name, size)
    for a in ("192.168.50.1", "192.168.60.1", "fd50::1", "fd60::1"):
      self.put("addresses", address(a), struct.pack("<I", 1))
    for i in range(3):
      self.load_of(i, 0)
      self.put("deaf", struct.pack("<I", i), struct.pack("<I", 0))
      self.slot(i)
    self.service([0, 1, 2])
    self.config()
    self.no_hold()
    self.hold()

  def close(self):
    self.no_hold()
    for i in range(2):
      self.lib.detach_tc(socket.if_nametoindex(f"lan{i}"), 1, self.pins, f"in-{i}")
    for i, (_, ifindex) in enumerate(self.instances):
      self.lib.lib.weir_detach_tc(ifindex, 1, self.pins.encode(), f"out-{i}".encode())
    for name in ("wake", "connect4", "connect6", "getpeername4", "getpeername6", "listen"):
      self.lib.detach(self.pins, name)
    if hasattr(self, "ring"):
      self.lib.lib.weir_ring_close(self.ring)
    for fd in self.maps.values():
      self.lib.close(fd)
    for handle in self.objects.values():
      self.lib.lib.weir_object_close(handle)
    for pid in list(children):
      end(pid)
    for name in os.listdir(self.pins):
      os.unlink(f"{self.pins}/{name}")
    os.rmdir(self.pins)
    self.lib.bpffs_unmount(self.bpffs)
    os.rmdir(self.run_dir)
    os.rmdir(self.cgroup)
