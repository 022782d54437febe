/** Families of boards, and the settings that follow from them. */
@NullMarked
package io.weir.cli.device;

import org.jspecify.annotations.NullMarked;
