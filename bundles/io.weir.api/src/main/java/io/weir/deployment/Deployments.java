package io.weir.deployment;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/**
 * Installs function packages ({@code .weirpkg}), one at a time. Whatever runs goes on until the new version has shown that it
 * can be started, and for ever if it cannot. Thread-safe.
 */
public interface Deployments {

  /**
   * Takes a package: reads and checks all of it on the caller's thread, then installs it on one of its own.
   *
   * @param from read to its end, and left open
   * @param source how the package is called in messages, for example a file name
   * @return the deployment, which is under way; {@link #find} and events of kind {@code DeploymentChanged} tell of its progress
   * @throws Refused if the package is not taken; then nothing has changed
   * @throws IOException if it cannot be read from where it comes; likewise
   */
  Deployment install(InputStream from, String source) throws IOException;

  /** Removes a package's functions and images; false if there is none of the name. Takes as long as the registry does. */
  boolean remove(String name);

  /** A deployment of the last few, as it is now. */
  Optional<Deployment> find(String id);

  /** The last few deployments, newest first. */
  List<Deployment> recent();

  /** What is installed, ordered by name. */
  List<InstalledPackage> packages();
}
