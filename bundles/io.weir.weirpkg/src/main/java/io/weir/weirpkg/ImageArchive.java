package io.weir.weirpkg;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.jr.ob.JSON;

/**
 * The archive of one image, as {@code podman save} and {@code docker save} write it, in either of their formats.
 *
 * <p>Whoever loads an archive gives the image the name that is in there, and takes that name from whatever image had it. So
 * an archive is only loaded under a name of the loader's choice.
 */
public final class ImageArchive {
  private static final String DOCKER = "manifest.json";
  private static final String OCI = "index.json";
  /** An older list of names beside {@link #DOCKER}. */
  private static final String NAMES = "repositories";
  private static final Set<String> NAMING = Set.of(DOCKER, OCI, NAMES);
  private static final int LARGEST_TEXT = 4 << 20;
  private static final int MOST_ENTRIES = 10_000;

  private record Place(TarHeader header, long at) {
    long end() {
      return at + TarHeader.BLOCK + header.paddedSize();
    }
  }

  private final Path file;
  private final List<Place> places = new ArrayList<>();
  private final Map<String, Place> byName = new HashMap<>();

  /** @throws PackageFault if this is no archive of exactly one image, or one whose names cannot be told for sure */
  public ImageArchive(Path file) throws IOException {
    this.file = file;
    scan();
    if (!byName.containsKey(DOCKER) && !byName.containsKey(OCI)) {
      throw fault("has neither " + DOCKER + " nor " + OCI + "; write it with 'podman save' or 'weir image save'");
    }
    if (byName.containsKey(DOCKER) && dockerImages().size() != 1 || byName.containsKey(OCI) && ociImages().size() != 1) {
      throw fault("must hold one image; save each one in an archive of its own");
    }
  }

  private PackageFault fault(String what) {
    return fault(what, null);
  }

  private PackageFault fault(String what, @Nullable Throwable cause) {
    return new PackageFault(PackageFault.Kind.MALFORMED, "image archive " + file.getFileName() + " " + what, cause);
  }

  private void scan() throws IOException {
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      ByteBuffer block = ByteBuffer.allocate(TarHeader.BLOCK);
      for (long at = 0; read(channel, at, block) && !TarHeader.isEnd(block.array()); at = places.get(places.size() - 1).end()) {
        add(new Place(TarHeader.of(block.array()), at), channel.size());
      }
    }
  }

  private static boolean read(SeekableByteChannel channel, long at, ByteBuffer block) throws IOException {
    channel.position(at);
    block.clear();
    while (block.hasRemaining()) {
      if (channel.read(block) < 0) {
        return false;
      }
    }
    return true;
  }

  /** Another name in an extension, behind a link or in front of {@code ./} could hide which file it is. */
  private void add(Place place, long size) {
    String name = place.header.name();
    String plain = name.replaceAll("/\\.?(?=/)", "").replaceAll("^(\\./|/)+", "");
    if (List.of(plain.split("/")).contains("..")) {
      throw fault("has '" + Manifest.shown(name) + "', which leads out of it");
    }
    if ("052".indexOf(place.header.type()) < 0) {
      throw fault("uses extensions of tar; write it with 'podman save' or 'weir image save'");
    }
    if (place.end() > size) {
      throw fault("ends too early");
    }
    if (NAMING.contains(plain) && (!plain.equals(name) || !place.header.isFile() || byName.containsKey(name))) {
      throw fault("has '" + Manifest.shown(name) + "' twice or in disguise");
    }
    places.add(place);
    byName.put(name, place);
    if (places.size() > MOST_ENTRIES) {
      throw fault("has more than " + MOST_ENTRIES + " entries");
    }
  }

  private List<Map<String, Object>> dockerImages() throws IOException {
    return objects(json(DOCKER), DOCKER);
  }

  private List<Map<String, Object>> ociImages() throws IOException {
    return objects(object(json(OCI), OCI).get("manifests"), OCI);
  }

  private List<Map<String, Object>> objects(@Nullable Object list, String name) {
    if (!(list instanceof List<?> all)) {
      throw fault("is damaged: " + name + " is not what it must be");
    }
    return all.stream().map(each -> object(each, name)).toList();
  }

  private Map<String, Object> object(@Nullable Object json, String name) {
    if (!(json instanceof Map<?, ?> map)) {
      throw fault("is damaged: " + name + " is not what it must be");
    }
    Map<String, Object> copy = new LinkedHashMap<>();
    map.forEach((key, value) -> copy.put(String.valueOf(key), value));
    return copy;
  }

  private Object json(String name) throws IOException {
    Place place = byName.get(name);
    if (place == null || place.header.size() > LARGEST_TEXT) {
      throw fault("is damaged: " + Manifest.shown(name) + " is missing or too large");
    }
    try (InputStream in = part(place.at + TarHeader.BLOCK, place.header.size())) {
      return JSON.std.anyFrom(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (JacksonException e) {
      throw fault("is damaged: " + Manifest.shown(name) + " is no JSON", e);
    }
  }

  /** What processor the image is for, as it says itself. */
  public Optional<String> architecture() throws IOException {
    String config;
    if (byName.containsKey(DOCKER)) {
      config = String.valueOf(dockerImages().get(0).get("Config"));
    } else {
      Map<String, Object> manifest = object(json(blob(ociImages().get(0).get("digest"))), OCI);
      if (!(manifest.get("config") instanceof Map<?, ?> described)) {
        return Optional.empty();   // a list of images for several processors
      }
      config = blob(described.get("digest"));
    }
    return object(json(config), config).get("architecture") instanceof String word && !word.isBlank()
        ? Optional.of(word) : Optional.empty();
  }

  private static String blob(@Nullable Object digest) {
    return "blobs/" + String.valueOf(digest).replace(':', '/');
  }

  /** The archive with another name for its image, and no name beside it. The caller closes the stream. */
  public InputStream named(String reference) throws IOException {
    List<InputStream> parts = new ArrayList<>();
    for (Place place : places) {
      String name = place.header.name();
      if (name.equals(DOCKER)) {
        Map<String, Object> image = dockerImages().get(0);
        image.put("RepoTags", List.of(reference));
        parts.add(entry(name, List.of(image)));
      } else if (name.equals(OCI)) {
        parts.add(entry(name, renamedIndex(reference)));
      } else if (!name.equals(NAMES)) {
        parts.add(part(place.at, place.end() - place.at));
      }
    }
    parts.add(new ByteArrayInputStream(new byte[2 * TarHeader.BLOCK]));
    return new SequenceInputStream(Collections.enumeration(parts));
  }

  private Map<String, Object> renamedIndex(String reference) throws IOException {
    Map<String, Object> index = object(json(OCI), OCI);
    Map<String, Object> image = ociImages().get(0);
    image.put("annotations", Map.of("org.opencontainers.image.ref.name", reference));
    index.put("manifests", List.of(image));
    return index;
  }

  private static InputStream entry(String name, Object json) {
    byte[] text = JSON.std.asString(json).getBytes(StandardCharsets.UTF_8);
    TarHeader header = new TarHeader(name, text.length, '0');
    byte[] whole = new byte[TarHeader.BLOCK + (int) header.paddedSize()];
    System.arraycopy(header.bytes(), 0, whole, 0, TarHeader.BLOCK);
    System.arraycopy(text, 0, whole, TarHeader.BLOCK, text.length);
    return new ByteArrayInputStream(whole);
  }

  /** Some bytes of the file; opened when they are wanted, so that not all parts are open at once. */
  private InputStream part(long at, long length) {
    return new InputStream() {
      private @Nullable InputStream open;
      private long left = length;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] to, int offset, int most) throws IOException {
        if (left == 0) {
          return -1;
        }
        InputStream in = open;
        if (in == null) {
          SeekableByteChannel channel = Files.newByteChannel(file).position(at);
          in = Channels.newInputStream(channel);
          open = in;
        }
        int read = in.read(to, offset, (int) Math.min(most, left));
        if (read < 0) {
          throw new EOFException(file + " ended while it was read");
        }
        left -= read;
        return read;
      }

      @Override
      public void close() throws IOException {
        if (open != null) {
          open.close();
        }
      }
    };
  }
}
