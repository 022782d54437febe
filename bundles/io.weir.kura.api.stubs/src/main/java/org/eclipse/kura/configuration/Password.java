package org.eclipse.kura.configuration;

import org.osgi.annotation.versioning.ProviderType;

/** A value that is shown to nobody. */
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
