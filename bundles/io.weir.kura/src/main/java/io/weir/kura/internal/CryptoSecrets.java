package io.weir.kura.internal;

import io.weir.secret.Secrets;
import org.eclipse.kura.KuraException;
import org.eclipse.kura.crypto.CryptoService;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Reference;

/** Passwords with Kura's key: Kura hands them to services as it stores them, encrypted. */
@Component(name = "io.weir.kura.secrets", configurationPolicy = ConfigurationPolicy.IGNORE, immediate = true)
public final class CryptoSecrets implements Secrets {
  private final CryptoService crypto;

  @Activate
  public CryptoSecrets(@Reference CryptoService crypto) {
    this.crypto = crypto;
  }

  /** What Kura cannot decrypt was put into ConfigurationAdmin by somebody else, in clear. */
  @Override
  public String reveal(String stored) {
    if (stored.isEmpty()) {
      return stored;
    }
    try {
      return new String(crypto.decryptAes(stored.toCharArray()));
    } catch (KuraException | RuntimeException e) {
      return stored;
    }
  }

  @Override
  public String conceal(String clear) {
    try {
      return new String(crypto.encryptAes(clear.toCharArray()));
    } catch (KuraException e) {
      throw new IllegalStateException("Kura's CryptoService cannot encrypt; look at its log", e);
    }
  }
}
