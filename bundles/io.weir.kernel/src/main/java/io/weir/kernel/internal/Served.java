package io.weir.kernel.internal;

import io.weir.function.FunctionName;
import io.weir.kernel.Routes.Admission;
import java.util.List;

/**
 * A function with a port of its own.
 *
 * @param index its number in the maps
 * @param targets at most {@link Layout#FANOUT}
 */
record Served(FunctionName function, int index, int port, Admission admission, List<Target> targets) {}
