/** Podman over its REST API, and the Podman service that the gateway runs for itself. */
@NullMarked
package io.weir.engine.podman.internal;

import org.jspecify.annotations.NullMarked;
