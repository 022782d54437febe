package org.eclipse.kura.configuration;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A value that is shown to nobody.
 *
 * <p>Source: the public signatures of {@code Password} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public class Password {
  private final char[] password;

  public Password(String password) {
    this.password = password == null ? null : password.toCharArray();
  }

  public Password(char[] password) {
    this.password = password;
  }

  public char[] getPassword() {
    return password;
  }

  @Override
  public String toString() {
    return new String(password);
  }
}
