package io.weir.deployment;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * A package on its way to being installed, as it was when it was asked for.
 *
 * @param id unique in this life of the gateway
 * @param name the package's name
 * @param version the package's version
 * @param source where it came from, for example a file name
 * @param signer file name of the trusted key that signed it; empty if no key is trusted in particular
 * @param state see {@link State}
 * @param step what it does now, or did last, for people
 * @param percent how far it is, 0 to 100
 * @param replaces version that ran before, and runs on if this one cannot; empty if there was none
 * @param detail why it was rolled back; otherwise empty
 * @param since when it was taken
 * @param changed when it last changed
 */
public record Deployment(String id, String name, String version, String source, String signer, State state, String step,
    int percent, Optional<String> replaces, String detail, Instant since, Instant changed) {

  /** Every deployment goes down this list and ends with one of the last two. */
  public enum State {
    /** Its images are being loaded. */
    LOADING,
    /** Its functions are being started on trial, beside those that run. */
    REHEARSING,
    /** Its functions take over. */
    SWITCHING,
    /** It runs. */
    INSTALLED,
    /** It could not be started; everything is as it was before. */
    ROLLED_BACK;

    public boolean isFinal() {
      return compareTo(INSTALLED) >= 0;
    }

    /** {@code rolled-back}. */
    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }
}
