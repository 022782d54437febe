package io.weir.registry.internal;

import io.weir.function.InvalidFunction;
import java.util.Map;

/** The files that lie beside a {@code weir.yaml}, of which functions name one as their handler. */
interface HandlerFiles {

  /**
   * The text of a file.
   *
   * @param name a plain name, which was checked to be one
   * @throws InvalidFunction if there is no such file, or none that a handler can be
   */
  String read(String name);

  /** Those that were sent along with a text. */
  static HandlerFiles of(Map<String, String> files) {
    return name -> {
      String text = files.get(name);
      if (text == null) {
        throw new InvalidFunction("handler", "handler: '" + name + "' was not sent along; 'weir deploy' sends the files "
            + "beside the weir.yaml, other clients put it under 'files', or write the program as code");
      }
      return text;
    };
  }
}
