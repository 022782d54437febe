package io.weir.weirpkg;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/** Packages as tests need them, right and wrong. */
final class Packages {
  static final String YAML = "functions:\n  thermo:\n    image: localhost/thermo:1\n";

  private Packages() {}

  static Manifest.File file(String name, byte[] contents) {
    return new Manifest.File(name, contents.length, HexFormat.of().formatHex(Signing.sha256().digest(contents)));
  }

  static Map<String, byte[]> thermo() {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("weir.yaml", YAML.getBytes(StandardCharsets.UTF_8));
    files.put("images/thermo.tar", new byte[3000]);
    return files;
  }

  static Manifest manifest(Map<String, byte[]> files) {
    Map<String, String> images = new LinkedHashMap<>();
    files.keySet().stream().filter(name -> name.startsWith("images/"))
        .forEach(name -> images.put("localhost/" + name.substring(7).replace(".tar", "") + ":1", name));
    List<Manifest.File> entries = files.entrySet().stream().map(each -> file(each.getKey(), each.getValue())).toList();
    return new Manifest("thermo", "1.0.0", Optional.of("amd64"), images, entries);
  }

  static byte[] zipped(Map<String, byte[]> files, Optional<byte[]> signature) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PackageWriter.write(manifest(files), signature, file -> new ByteArrayInputStream(files.get(file.name())), out);
    return out.toByteArray();
  }

  /** The same without compression, so that every byte is in a known place. */
  static byte[] plain(Map<String, byte[]> files) throws IOException {
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(zipped(files, Optional.empty())))) {
      return in.readAllBytes();
    }
  }

  /** Entries as they are given, whether they make sense or not. */
  static byte[] tar(Object... namesAndContents) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < namesAndContents.length; i += 2) {
      byte[] contents = namesAndContents[i + 1] instanceof byte[] bytes ? bytes
          : namesAndContents[i + 1].toString().getBytes(StandardCharsets.UTF_8);
      TarHeader header = namesAndContents[i] instanceof TarHeader given ? given
          : new TarHeader((String) namesAndContents[i], contents.length, '0');
      out.writeBytes(header.bytes());
      out.writeBytes(contents);
      out.writeBytes(new byte[(int) (header.paddedSize() - header.size())]);
    }
    out.writeBytes(new byte[2 * TarHeader.BLOCK]);
    return out.toByteArray();
  }

  static Map<String, byte[]> read(byte[] bytes) throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    PackageReader reader = new PackageReader(new ByteArrayInputStream(bytes), Limits.NONE);
    reader.readFiles(file -> new ByteArrayOutputStream() {
      @Override
      public void close() {
        files.put(file.name(), toByteArray());
      }
    });
    return files;
  }
}
