package io.weir.delivery.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = DurableCourier.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir delivery",
    description = "Brings events that are in the journal to their end")
public @interface DeliveryConfig {
  @AttributeDefinition(name = "Events in work", min = "1", max = "1000",
      description = "Events of one function that are with it or on their way. Less for functions that could not work on so "
          + "many: never more than twice what their instances serve at a time.")
  int max_in_flight() default 32;

  @AttributeDefinition(name = "Waiting events", min = "1", max = "1000000",
      description = "Events of one function that may wait in the journal; whoever brings more has to wait himself.")
  int max_waiting() default 20_000;

  @AttributeDefinition(name = "Memory for waiting events", min = "0", max = "1024",
      description = "MiB of waiting events' bodies that are held in memory; others are read again when it is their turn.")
  int memory_mib() default 8;

  @AttributeDefinition(name = "First delay (ms)", min = "1", max = "60000",
      description = "Longest delay before the second attempt; it doubles with every further one, with full jitter.")
  int backoff_ms() default 200;

  @AttributeDefinition(name = "Longest delay (s)", min = "1", max = "3600",
      description = "No delay between two attempts is longer.")
  int backoff_max_seconds() default 30;

  @AttributeDefinition(name = "Failures until a pause", min = "1", max = "1000",
      description = "So many failures of a function in a row, and it is left alone for a while: a second at first, then "
          + "longer, until a single call succeeds.")
  int breaker_failures() default 10;

  @AttributeDefinition(name = "Longest pause (s)", min = "1", max = "3600",
      description = "How long a function that always fails is left alone at most.")
  int breaker_max_seconds() default 60;
}
