import java.util.Locale;
import java.util.Map;

/** Units of measure that sensors speak, and the way between two of one kind. */
final class Units {
  private record Unit(String kind, double scale, double offset) {}

  /** value in base unit = value * scale + offset; the base units are K, Pa, m/s and m. */
  private static final Map<String, Unit> UNITS = Map.ofEntries(
      Map.entry("k", new Unit("temperature", 1, 0)),
      Map.entry("c", new Unit("temperature", 1, 273.15)),
      Map.entry("f", new Unit("temperature", 5.0 / 9, 459.67 * 5 / 9)),
      Map.entry("pa", new Unit("pressure", 1, 0)),
      Map.entry("hpa", new Unit("pressure", 100, 0)),
      Map.entry("kpa", new Unit("pressure", 1_000, 0)),
      Map.entry("bar", new Unit("pressure", 100_000, 0)),
      Map.entry("psi", new Unit("pressure", 6_894.757293168, 0)),
      Map.entry("m/s", new Unit("speed", 1, 0)),
      Map.entry("km/h", new Unit("speed", 1 / 3.6, 0)),
      Map.entry("mph", new Unit("speed", 0.44704, 0)),
      Map.entry("kn", new Unit("speed", 1_852.0 / 3_600, 0)),
      Map.entry("m", new Unit("length", 1, 0)),
      Map.entry("cm", new Unit("length", 0.01, 0)),
      Map.entry("in", new Unit("length", 0.0254, 0)),
      Map.entry("ft", new Unit("length", 0.3048, 0)));

  private Units() {}

  /** @throws IllegalArgumentException if a unit is unknown or the two measure different things */
  static double convert(double value, String from, String to) {
    Unit source = unit(from);
    Unit target = unit(to);
    if (!source.kind.equals(target.kind)) {
      throw new IllegalArgumentException(from + " is a " + source.kind + ", " + to + " is a " + target.kind);
    }
    double converted = (value * source.scale + source.offset - target.offset) / target.scale;
    // 0.30000000000000004 helps nobody; beyond 1e6 the rounding itself would do harm.
    return Math.abs(converted) < 1e6 ? Math.round(converted * 1e9) / 1e9 : converted;
  }

  private static Unit unit(String name) {
    Unit unit = UNITS.get(name.replace("°", "").toLowerCase(Locale.ROOT));
    if (unit == null) {
      throw new IllegalArgumentException("unknown unit " + name + "; known are " + UNITS.keySet().stream().sorted().toList());
    }
    return unit;
  }
}
