package io.weir.journal.internal;

/** Where a record is: {@code at} is the place of its head in the file, {@code length} that of what follows the head. */
record Ref(Segment segment, int at, int length) {

  /** Bytes in the file. */
  int bytes() {
    return Layout.RECORD_HEAD + length;
  }

  /** @throws Damaged if it is not there any more as it was written */
  Fact fact() {
    return segment.fact(this);
  }

  /** The same place; segments are themselves. */
  boolean is(Segment other, int place) {
    return segment == other && at == place;
  }
}
