package io.weir.journal.internal;

import java.nio.ByteBuffer;

/**
 * How many facts of each kind, and when; copies do not count.
 *
 * @param from time of the earliest group, in milliseconds; above {@code to} if there is none
 * @param to time of the latest group
 */
record Tally(long from, long to, long accepted, long done, long dead, long duplicates) {
  static final Tally NOTHING = new Tally(Long.MAX_VALUE, 0, 0, 0, 0, 0);

  Tally plus(Tally other) {
    return new Tally(Math.min(from, other.from), Math.max(to, other.to), accepted + other.accepted, done + other.done,
        dead + other.dead, duplicates + other.duplicates);
  }

  Tally plus(int type, ByteBuffer payload) {
    return switch (type) {
      case FactCodec.ACCEPTED -> new Tally(from, to, accepted + 1, done, dead, duplicates);
      case FactCodec.DONE -> new Tally(from, to, accepted, done + 1, dead, duplicates);
      case FactCodec.DEAD -> new Tally(from, to, accepted, done, dead + 1, duplicates);
      case FactCodec.SUPPRESSED -> new Tally(from, to, accepted, done, dead,
          duplicates + ((Fact.Suppressed) FactCodec.decode(type, payload)).count());
      default -> this;
    };
  }

  Tally at(long millis) {
    return new Tally(Math.min(from, millis), Math.max(to, millis), accepted, done, dead, duplicates);
  }

  void encode(Encoder encoder) {
    encoder.fixed(from).fixed(to).number(accepted).number(done).number(dead).number(duplicates);
  }

  static Tally decode(Decoder decoder) {
    return new Tally(decoder.fixed(), decoder.fixed(), decoder.number(), decoder.number(), decoder.number(),
        decoder.number());
  }
}
