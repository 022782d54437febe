package io.weir.journal.internal;

import java.util.ArrayList;
import java.util.List;

/** What was found wrong, for the log and for those who look at the part's state. Thread-safe. */
final class Report {
  private static final int MOST = 100;

  private final List<String> findings = new ArrayList<>();
  private int setAside;

  synchronized void add(String finding) {
    if (findings.size() < MOST && !findings.contains(finding)) {
      findings.add(finding);
    }
  }

  synchronized void aside(int files) {
    setAside += files;
  }

  synchronized List<String> findings() {
    return List.copyOf(findings);
  }

  synchronized int setAside() {
    return setAside;
  }
}
