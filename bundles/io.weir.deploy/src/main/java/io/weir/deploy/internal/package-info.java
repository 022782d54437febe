/** Installs function packages: checks them, starts them on trial beside what runs, and switches once they have shown that they work. */
@NullMarked
package io.weir.deploy.internal;

import org.jspecify.annotations.NullMarked;
