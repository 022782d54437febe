/** Stand-in for the package of the same name in Eclipse Kura: what messages carry. */
@org.osgi.annotation.versioning.Version("1.5.0")
package org.eclipse.kura.message;
