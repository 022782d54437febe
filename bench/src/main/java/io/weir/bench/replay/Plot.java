package io.weir.bench.replay;

import java.util.List;
import java.util.Locale;

/** Policies as points, cold starts over memory; what lies to the lower left is better. */
final class Plot {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 520;
  private static final int MARGIN = 70;

  private Plot() {}

  static String of(String trace, List<Outcome> outcomes) {
    double least = outcomes.stream().mapToDouble(Outcome::memory).min().orElse(1);
    double most = outcomes.stream().mapToDouble(Outcome::memory).max().orElse(1);
    double left = Math.log10(Math.max(1, least));
    double right = Math.max(left + 0.1, Math.log10(Math.max(1, most)));
    double bottom = outcomes.stream().mapToDouble(Outcome::coldShare).filter(share -> share > 0)
        .map(Math::log10).min().orElse(-3) - 0.2;
    StringBuilder svg = new StringBuilder();
    svg.append(String.format(Locale.ROOT,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif'"
        + " font-size='12'>%n<rect width='100%%' height='100%%' fill='white'/>%n", WIDTH, HEIGHT));
    text(svg, MARGIN, 24, "start", "#000", "Cold starts and memory on " + trace.replaceAll("[<>&]", ""));
    for (int power = (int) Math.ceil(bottom); power <= 0; power++) {
      double y = y(power, bottom);
      line(svg, MARGIN, y, WIDTH - MARGIN, y);
      text(svg, MARGIN - 6, y + 4, "end", "#555", Math.pow(10, power) * 100 + " %");
    }
    for (int power = (int) Math.ceil(left); power <= right; power++) {
      double x = x(power, left, right);
      line(svg, x, MARGIN / 2.0, x, HEIGHT - MARGIN);
      text(svg, x, HEIGHT - MARGIN + 18, "middle", "#555", "1e" + power);
    }
    text(svg, WIDTH / 2.0, HEIGHT - 20, "middle", "#000", "memory, MiB·s");
    text(svg, 12, MARGIN / 2.0 + 4, "start", "#000", "cold");
    for (Outcome of : outcomes) {
      boolean weir = of.policy().equals(Platforms.WEIR);
      boolean only = of.policy().startsWith(Platforms.ONLY);
      double x = x(Math.log10(Math.max(1, of.memory())), left, right);
      double y = y(of.cold() == 0 ? bottom : Math.log10(of.coldShare()), bottom);
      String colour = weir ? "#c00" : only ? "#888" : "#06c";
      svg.append(String.format(Locale.ROOT,
          "<circle cx='%.1f' cy='%.1f' r='%d' fill='%s'><title>%s: %.3f %%, %.0f MiB·s</title>"
          + "</circle>%n", x, y, weir ? 6 : 4, colour, of.policy(), 100 * of.coldShare(), of.memory()));
      text(svg, x + 7, y + (only ? 12 : -4), "start", colour, of.policy());
    }
    return svg.append("</svg>\n").toString();
  }

  private static double x(double power, double left, double right) {
    return MARGIN + (power - left) / (right - left) * (WIDTH - 2.5 * MARGIN);
  }

  private static double y(double power, double bottom) {
    return MARGIN / 2.0 + power / bottom * (HEIGHT - 1.5 * MARGIN);
  }

  private static void line(StringBuilder svg, double x1, double y1, double x2, double y2) {
    svg.append(String.format(Locale.ROOT, "<path d='M%.1f %.1fL%.1f %.1f' stroke='#ddd'/>%n",
        x1, y1, x2, y2));
  }

  private static void text(StringBuilder svg, double x, double y, String anchor, String colour,
      String words) {
    svg.append(String.format(Locale.ROOT, "<text x='%.1f' y='%.1f' text-anchor='%s' fill='%s'>%s</text>%n",
        x, y, anchor, colour, words));
  }
}
