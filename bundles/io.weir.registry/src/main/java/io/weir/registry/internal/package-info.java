/** Knows every function: reads factory configurations and weir.yaml files, checks them, and tells who listens. */
@NullMarked
package io.weir.registry.internal;

import org.jspecify.annotations.NullMarked;
