/** The page that shows a gateway to people; it knows the gateway's REST API only, and that in the browser. */
@NullMarked
package io.weir.console.internal;

import org.jspecify.annotations.NullMarked;
