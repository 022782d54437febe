package io.weir.bench;

import io.weir.itest.Gateway;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import tools.jackson.jr.ob.JSON;

/**
 * What the meter costs: one server process in a cgroup of its own, loaded in threes without, with and without the meter. The
 * same threes with a meter that is taken off again before the one in the middle say what such a comparison shows where
 * there is nothing to see.
 */
final class Metering implements AutoCloseable {
  private static final int LIVE = 1;
  private static final int FLAGS_AT = 52;
  private static final int GENERATION_AT = 56;
  /** Program and where it is attached, in the words of bpftool. */
  private static final List<String[]> HOOKS = List.of(new String[] {"weir_meter_in", "ingress"},
      new String[] {"weir_meter_out", "egress"}, new String[] {"weir_meter_life", "sock_ops"});

  private final Path work = Files.createDirectories(Path.of(System.getProperty("weir.work"), "metering"));
  private final Path bpffs = Files.createDirectories(work.resolve("bpf"));
  private final Path cgroup;
  private final Loads loads;
  private final int port;
  private final Process server;

  Metering(Loads loads) throws Exception {
    this.loads = loads;
    this.cgroup = Files.createDirectories(Path.of(Gateway.exec("findmnt", "-n", "-t", "cgroup2", "-o", "TARGET").lines()
        .findFirst().orElseThrow(), "weir-bench-" + ProcessHandle.current().pid()));
    try (java.net.ServerSocket free = new java.net.ServerSocket(0)) {
      port = free.getLocalPort();
    }
    try (InputStream in = Gateway.class.getResourceAsStream("/probe.c")) {
      Files.copy(in, work.resolve("probe.c"), StandardCopyOption.REPLACE_EXISTING);
    }
    Gateway.exec("gcc", "-O2", "-pthread", "-o", work.resolve("probe").toString(), work.resolve("probe.c").toString());
    // The hooks follow the cgroup in which a socket was made.
    ProcessBuilder builder = new ProcessBuilder("sh", "-c", "echo $$ > " + cgroup + "/cgroup.procs && exec taskset -c "
        + Loads.SERVER + " " + work.resolve("probe"));
    builder.environment().put("PORT", Integer.toString(port));
    server = builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    try {
      Wire.await(new java.net.InetSocketAddress(Device.GATEWAY, port));
      load();
    } catch (Exception | AssertionError e) {
      close();
      throw e;
    }
  }

  private void load() throws Exception {
    Gateway.exec("mount", "-t", "bpf", "weir-bench", bpffs.toString());
    Path object = work.resolve("meter.bpf.o");
    try (Stream<Path> jars = Files.list(Path.of(System.getProperty("weir.dist"), "bundle/weir"))) {
      Path bundle = jars.filter(jar -> jar.getFileName().toString().startsWith("io.weir.kernel-")).findFirst().orElseThrow();
      try (JarFile jar = new JarFile(bundle.toFile());
          InputStream in = jar.getInputStream(jar.getEntry("ebpf/bpf/meter.bpf.o"))) {
        Files.copy(in, object, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    // The program's maps pin themselves where a bpffs usually is.
    Gateway.exec("unshare", "-m", "sh", "-c", "mount --bind " + bpffs + " /sys/fs/bpf && bpftool prog loadall " + object
        + " /sys/fs/bpf/programs");
    long id = ((Number) Files.getAttribute(cgroup, "unix:ino")).longValue();
    ByteBuffer instance = ByteBuffer.allocate(valueBytes("instances")).order(ByteOrder.LITTLE_ENDIAN).putLong(1).putLong(id);
    instance.putInt(FLAGS_AT, LIVE).putInt(GENERATION_AT, 1);
    put("instances", ByteBuffer.allocate(4).array(), instance.array());
    put("cgroups", ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(id).array(), new byte[4]);
  }

  /** Asked for, because structures grow at their ends. */
  private int valueBytes(String map) throws Exception {
    String shown = Gateway.exec("bpftool", "-j", "map", "show", "pinned", bpffs.resolve(map).toString());
    return ((Number) JSON.std.mapFrom(shown).get("bytes_value")).intValue();
  }

  private void put(String map, byte[] key, byte[] value) throws Exception {
    List<String> command = new ArrayList<>(List.of("bpftool", "map", "update", "pinned", bpffs.resolve(map).toString(), "key", "hex"));
    command.addAll(hex(key));
    command.addAll(List.of("value", "hex"));
    command.addAll(hex(value));
    Gateway.exec(command.toArray(String[]::new));
  }

  private static List<String> hex(byte[] bytes) {
    return List.of(HexFormat.ofDelimiter(" ").formatHex(bytes).split(" "));
  }

  /** With the meter, as a multiple of the runs before and after without it; and the same with nothing. */
  void measure(Report report, int triplets, int seconds) throws Exception {
    double[] metered = new double[triplets];
    double[] control = new double[triplets];
    cpu(seconds);
    for (int i = 0; i < triplets; i++) {
      double before = cpu(seconds);
      hooks("attach");
      hooks("detach");
      double same = cpu(seconds);
      double between = cpu(seconds);
      hooks("attach");
      double with = cpu(seconds);
      hooks("detach");
      double after = cpu(seconds);
      control[i] = same / ((before + between) / 2);
      metered[i] = with / ((between + after) / 2);
    }
    String counted = Gateway.exec("bpftool", "-j", "map", "lookup", "pinned", bpffs.resolve("counters").toString(), "key", "0",
        "0", "0", "0");
    if (!counted.matches("(?s).*\"requests\": ?[1-9].*")) {
      throw new IllegalStateException("the meter was attached but counted nothing: " + counted);
    }
    report.add("meter_cpu", "x", metered, "x, the same threes without a meter", control,
        new Report.Target("<= 1.03", (value, reference) -> value <= 1.03));
  }

  private double cpu(int seconds) throws Exception {
    return loads.keepAlive("http://" + Device.GATEWAY + ":" + port + "/", List.of(server.pid()), seconds).cpu();
  }

  private void hooks(String what) throws Exception {
    for (String[] hook : HOOKS) {
      List<String> command = new ArrayList<>(List.of("bpftool", "cgroup", what, cgroup.toString(), hook[1], "pinned",
          bpffs.resolve("programs").resolve(hook[0]).toString()));
      if (what.equals("attach")) {
        command.add("multi");
      }
      Gateway.exec(command.toArray(String[]::new));
    }
  }

  @Override
  public void close() throws Exception {
    server.destroyForcibly().waitFor();
    Gateway.run(new ProcessBuilder("umount", bpffs.toString()));   // not there if loading failed early
    Gateway.exec("rmdir", cgroup.toString());
  }
}
