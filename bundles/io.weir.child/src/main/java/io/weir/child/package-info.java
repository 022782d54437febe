/** Child processes that are restarted when they die and never outlive the gateway. */
@NullMarked
package io.weir.child;

import org.jspecify.annotations.NullMarked;
