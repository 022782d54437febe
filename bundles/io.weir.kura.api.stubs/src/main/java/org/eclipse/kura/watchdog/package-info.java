/** Stand-in for the package of the same name in Eclipse Kura: the watchdog. */
@org.osgi.annotation.versioning.Version("1.0.2")
package org.eclipse.kura.watchdog;
