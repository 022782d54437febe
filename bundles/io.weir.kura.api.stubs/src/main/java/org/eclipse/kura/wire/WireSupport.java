package org.eclipse.kura.wire;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import org.osgi.service.wireadmin.Consumer;
import org.osgi.service.wireadmin.Producer;

/** What a box needs to be wired. */
@ProviderType
public interface WireSupport extends Producer, Consumer {
  void emit(List<WireRecord> wireRecords);
}
