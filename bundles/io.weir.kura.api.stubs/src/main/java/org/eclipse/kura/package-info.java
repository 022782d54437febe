/** Stand-in for the package of the same name in Eclipse Kura: errors. */
@org.osgi.annotation.versioning.Version("1.7.0")
package org.eclipse.kura;
