package io.weir.cli;

import picocli.CommandLine.Command;

@Command(name = "doctor")
final class DoctorCommand extends Verb {
  @Override
  public Integer call() {
    return 1;
  }
}
