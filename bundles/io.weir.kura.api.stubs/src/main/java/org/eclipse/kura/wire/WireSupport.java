package org.eclipse.kura.wire;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.osgi.service.wireadmin.Consumer;
import org.osgi.service.wireadmin.Producer;

/**
 * What a box needs to be wired.
 *
 * <p>Source: the public signatures of {@code WireSupport} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ProviderType
public interface WireSupport extends Producer, Consumer {
  void emit(List<WireRecord> wireRecords);
}
