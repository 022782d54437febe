package io.weir.function;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All functions of the gateway, wherever they were declared. Thread-safe. */
public interface FunctionRegistry {

  /** Every valid function, ordered by name. */
  List<FunctionSpec> functions();

  Optional<FunctionSpec> find(FunctionName name);

  /**
   * Where a function was declared: a file name, {@code api}, {@code package:} and a package's name, or {@code configuration}
   * for anything else.
   */
  Optional<String> origin(FunctionName name);

  /** What is declared somewhere but could not be accepted. */
  List<Problem> problems();

  /**
   * Declares or redeclares the functions of a {@code weir.yaml} text: all of them or, if one cannot be accepted, none.
   * They are kept in ConfigurationAdmin and outlive a restart.
   *
   * @param yaml the text
   * @param source how the text is called in messages
   * @param files the files that the text names as handlers, by name
   * @return the functions as accepted
   * @throws InvalidDeclaration if the text, or a function in it, cannot be accepted
   */
  List<FunctionSpec> declare(String yaml, String source, Map<String, String> files);

  /**
   * Removes a function.
   *
   * @return whether there was one
   * @throws InvalidDeclaration if it is declared in a watched file, which would bring it back, or came in a package
   */
  boolean remove(FunctionName name);
}
