package io.weir.kura.internal;

import io.weir.event.Part;
import io.weir.invocation.Audit;
import io.weir.invocation.InvocationJournal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.kura.security.tamper.detection.TamperDetectionService;
import org.eclipse.kura.security.tamper.detection.TamperStatus;
import org.eclipse.kura.type.TypedValue;
import org.eclipse.kura.type.TypedValues;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/**
 * Shows under Kura's tamper detection whether the records of what Weir did are as they were written, and how each part is.
 * Reading all records is work for the disk, so it is done at most every ten minutes, and only when somebody asks.
 */
@Component(name = "io.weir.kura.seal", configurationPolicy = ConfigurationPolicy.IGNORE, immediate = true,
    service = TamperDetectionService.class, property = "kura.service.pid=io.weir.kura.seal")
public final class JournalSeal implements TamperDetectionService {
  private static final Duration AGE = Duration.ofMinutes(10);

  private record Known(Instant at, boolean unbroken, List<String> problems, String head) {}

  private final Clock clock;
  private final List<Part> parts = new CopyOnWriteArrayList<>();
  private final AtomicReference<InvocationJournal> journal = new AtomicReference<>();
  private @Nullable Known known;
  /** What somebody has looked at and accepted. */
  private List<String> accepted = List.of();

  @Activate
  public JournalSeal() {
    this(Clock.systemUTC());
  }

  JournalSeal(Clock clock) {
    this.clock = clock;
  }

  @Override
  public String getDisplayName() {
    return "Weir journal";
  }

  @Override
  public synchronized TamperStatus getTamperStatus() {
    Known now = known();
    Map<String, TypedValue<?>> properties = new TreeMap<>();
    for (Part part : parts) {
      properties.put(part.name(), TypedValues.newStringValue((part.ready() ? "" : "NOT READY: ") + part.state()));
    }
    if (now == null) {
      properties.put("records", TypedValues.newStringValue("there is no journal now"));
      return new TamperStatus(false, properties);
    }
    boolean tampered = !now.unbroken && !now.problems.equals(accepted);
    properties.put("timestamp", TypedValues.newLongValue(now.at.toEpochMilli()));
    properties.put("records", TypedValues.newStringValue(now.unbroken ? "as they were written; all lead to " + now.head
        : String.join("; ", now.problems)));
    return new TamperStatus(tampered, properties);
  }

  /** Accepts what is known to be wrong; anything else that is found later counts again. */
  @Override
  public synchronized void resetTamperStatus() {
    Known now = known();
    accepted = now == null ? List.of() : now.problems;
  }

  private @Nullable Known known() {
    InvocationJournal it = journal.get();
    if (it == null) {
      return known = null;
    }
    Instant now = clock.instant();
    if (known == null || now.isAfter(known.at.plus(AGE))) {
      Audit audit = it.audit(now.minus(Duration.ofDays(1)), now.plusMillis(1));
      known = new Known(now, audit.unbroken(), audit.problems(), audit.head());
    }
    return known;
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void setJournal(InvocationJournal service) {
    journal.set(service);
  }

  public void unsetJournal(InvocationJournal service) {
    journal.compareAndSet(service, null);
  }

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  public void addPart(Part part) {
    parts.add(part);
  }

  public void removePart(Part part) {
    parts.remove(part);
  }
}
