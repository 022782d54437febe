/** Stand-in for the package of the same name in Eclipse Kura: wires. */
@org.osgi.annotation.versioning.Version("2.0.0")
package org.eclipse.kura.wire;
