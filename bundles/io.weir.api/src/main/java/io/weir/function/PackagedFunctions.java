package io.weir.function;

import java.util.List;
import java.util.Map;

/**
 * Functions that come in packages: the functions of a package are exactly those of its last version, as those of a file are
 * those that are written in it. Thread-safe.
 */
public interface PackagedFunctions {
  /** What {@link FunctionRegistry#origin} of a package's function begins with; the package's name follows. */
  String ORIGIN = "package:";

  /**
   * What a {@code weir.yaml} text says. Declares nothing, and asks nobody whether it could be declared.
   *
   * @param source how the text is called in messages
   * @param files the files that the text names as handlers, by name
   * @throws InvalidDeclaration if the text, or a function in it, is wrong
   */
  List<FunctionSpec> read(String yaml, String source, Map<String, String> files);

  /**
   * Makes the functions of a package exactly these: all of them or, if one cannot be accepted, none. It may take over what
   * the API declared.
   *
   * @param name the package's name
   * @param source what messages call it
   * @return puts everything back to how it was before, for as long as nobody else has changed it
   * @throws InvalidDeclaration if a function cannot be accepted
   */
  Runnable replace(String name, List<FunctionSpec> functions, String source);
}
