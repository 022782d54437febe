package io.weir.bench.replay;

/** When a policy wants to be asked about a function; the earliest comes first. */
record Wake(long at, int function) implements Comparable<Wake> {
  @Override
  public int compareTo(Wake other) {
    return Long.compare(at, other.at);
  }
}
