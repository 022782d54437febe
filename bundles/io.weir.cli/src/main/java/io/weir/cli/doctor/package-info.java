/** What a host needs to run Weir: facts gathered in one place, judged in another. */
@NullMarked
package io.weir.cli.doctor;

import org.jspecify.annotations.NullMarked;
