package io.weir.cli;

import picocli.CommandLine.Command;

@Command(name = "replay")
final class ReplayCommand extends Verb {
  @Override
  public Integer call() {
    return 1;
  }
}
