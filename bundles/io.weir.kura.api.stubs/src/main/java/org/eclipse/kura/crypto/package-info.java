/** Stand-in for the package of the same name in Eclipse Kura: encryption of passwords. */
@org.osgi.annotation.versioning.Version("1.3.0")
package org.eclipse.kura.crypto;
