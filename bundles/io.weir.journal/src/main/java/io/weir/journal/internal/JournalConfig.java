package io.weir.journal.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Icon;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(id = JournalKeeper.PID, icon = @Icon(resource = "OSGI-INF/icon/weir.png", size = 32),
    name = "Weir journal",
    description = "Keeps what was promised through power cuts: events, answers to be sent, the functions' state.")
@interface JournalConfig {
  @AttributeDefinition(name = "Folder", required = false,
      description = "Where the files are; empty: journal in the gateway's data folder.")
  String folder() default "";

  @AttributeDefinition(name = "Window (ms)", min = "0", max = "1000",
      description = "The disk is forced once in this time, on average; what comes meanwhile shares it. After a rest, four times at once.")
  int window_ms() default 5;

  @AttributeDefinition(name = "Segment (MiB)", min = "1", max = "64",
      description = "Size of one file. No change is larger than half of it.")
  int segment_mib() default 4;

  @AttributeDefinition(name = "Size (MiB)", min = "8", max = "65536",
      description = "Size of all files, but for two more that are spare. Somewhat less than half of it can be kept.")
  int max_mib() default 64;

  @AttributeDefinition(name = "Size for one function (MiB)", min = "1", max = "65536",
      description = "How much may be kept for one function: its events, outputs, state and dead letters.")
  int function_max_mib() default 16;

  @AttributeDefinition(name = "Longest wait (hours)", min = "1", max = "87600",
      description = "While an event or output of a function waits for longer, no more events of it are accepted.")
  int max_age_hours() default 168;

  @AttributeDefinition(name = "Outcomes remembered (MiB)", min = "0", max = "65536",
      description = "How much is remembered of events that have ended, to know them when they come again.")
  int remember_mib() default 4;

  @AttributeDefinition(name = "Outcomes remembered (hours)", min = "1", max = "87600",
      description = "For how long an event that has ended is known when it comes again.")
  int remember_hours() default 24;

  @AttributeDefinition(name = "State of one function (KiB)", min = "0", max = "4194304",
      description = "How much state a function may have.")
  int state_max_kib() default 1024;

  @AttributeDefinition(name = "Largest value (bytes)", min = "0", max = "16777216",
      description = "The largest value of one key of a function's state.")
  int state_value_max_bytes() default 65536;
}
