package io.weir.cli;

import picocli.CommandLine.Command;

@Command(name = "run")
final class RunCommand extends Verb {
  @Override
  public Integer call() {
    return 1;
  }
}
