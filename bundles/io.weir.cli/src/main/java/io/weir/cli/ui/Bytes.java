package io.weir.cli.ui;

import java.util.Locale;

/** Amounts of memory as people read them. */
public final class Bytes {
  private Bytes() {}

  /** {@code 18874368} as {@code 18 MiB}; one decimal where that says something. */
  public static String text(long bytes) {
    String[] units = {"KiB", "MiB", "GiB"};
    double amount = bytes / 1024.0;
    int unit = 0;
    while (amount >= 1024 && unit < units.length - 1) {
      amount /= 1024;
      unit++;
    }
    if (bytes == 0) {
      return "0";
    }
    boolean whole = amount >= 10 || amount == Math.rint(amount);
    return String.format(Locale.ROOT, whole ? "%.0f %s" : "%.1f %s", amount, units[unit]);
  }
}
