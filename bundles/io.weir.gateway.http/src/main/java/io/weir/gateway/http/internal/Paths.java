package io.weir.gateway.http.internal;

/** Raw request paths, cut without decoding: the function gets what the client wrote. */
final class Paths {
  private Paths() {}

  /**
   * Where the segment after the first {@code count} ones begins (at its slash), or the length if there is none.
   */
  static int afterSegments(String path, int count) {
    int at = 0;
    for (int i = 0; i < count && at >= 0; i++) {
      at = path.indexOf('/', at + 1);
    }
    return at < 0 ? path.length() : at;
  }

  static int segments(String path) {
    return (int) path.chars().filter(c -> c == '/').count();
  }

  /** Whether a segment is {@code .} or {@code ..}, however encoded: servers disagree on what such a path means. */
  static boolean climbs(String path) {
    if (path.indexOf("/.") < 0 && path.indexOf('%') < 0) {
      return false;
    }
    int start = 1;
    while (start <= path.length()) {
      int slash = path.indexOf('/', start);
      int end = slash < 0 ? path.length() : slash;
      if (dots(path, start, end)) {
        return true;
      }
      start = end + 1;
    }
    return false;
  }

  private static boolean dots(String path, int start, int end) {
    int dots = 0;
    int at = start;
    while (at < end && path.charAt(at) != ';') {
      if (path.charAt(at) == '.') {
        at++;
      } else if (path.regionMatches(true, at, "%2e", 0, 3)) {
        at += 3;
      } else {
        return false;
      }
      dots++;
    }
    return dots == 1 || dots == 2;
  }
}
