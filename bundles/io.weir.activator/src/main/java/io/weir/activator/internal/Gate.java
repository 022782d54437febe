package io.weir.activator.internal;

import io.weir.kernel.Routes.Admission;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Who may connect to a function, and how often. What the kernel lets through passes here as well: it counts what it leads
 * past the gateway, so that nobody is refused here who was welcome there. Thread-safe.
 */
final class Gate {
  /** Clients remembered; one that is forgotten begins with a full burst. */
  private static final int MOST_CLIENTS = 4096;
  /** An IPv6 client has a whole /64 to choose addresses from. */
  private static final int SIX_PREFIX_BYTES = 8;

  private static final class Bucket {
    double tokens;
    long atNanos;
  }

  private final Admission admission;
  private final List<Network> sources;
  private final int capacity;
  private final LongSupplier nanos;
  private final Map<ByteBuffer, Bucket> clients = new LinkedHashMap<>(16, 0.75f, true) {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Bucket> eldest) {
      return size() > MOST_CLIENTS;
    }
  };

  Gate(Admission admission, LongSupplier nanos) {
    this.admission = admission;
    this.sources = admission.sources().stream().map(Network::of).toList();
    this.capacity = Math.max(1, admission.burst());
    this.nanos = nanos;
  }

  Admission admission() {
    return admission;
  }

  boolean admits(InetAddress client) {
    return (sources.isEmpty() || sources.stream().anyMatch(network -> network.has(client)))
        && (admission.rate() == 0 || takesToken(client));
  }

  private synchronized boolean takesToken(InetAddress client) {
    byte[] address = client.getAddress();
    ByteBuffer key = ByteBuffer.wrap(address, 0, Math.min(address.length, SIX_PREFIX_BYTES));
    long now = nanos.getAsLong();
    Bucket bucket = clients.computeIfAbsent(key, unknown -> {
      Bucket fresh = new Bucket();
      fresh.tokens = capacity;
      fresh.atNanos = now;
      return fresh;
    });
    bucket.tokens = Math.min(capacity, bucket.tokens + (now - bucket.atNanos) / 1e9 * admission.rate());
    bucket.atNanos = now;
    if (bucket.tokens < 1) {
      return false;
    }
    bucket.tokens--;
    return true;
  }
}
