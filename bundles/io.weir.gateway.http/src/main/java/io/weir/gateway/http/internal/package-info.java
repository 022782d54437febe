/** The gateway over HTTP: the front door to functions, and the admin API. */
@NullMarked
package io.weir.gateway.http.internal;

import org.jspecify.annotations.NullMarked;
