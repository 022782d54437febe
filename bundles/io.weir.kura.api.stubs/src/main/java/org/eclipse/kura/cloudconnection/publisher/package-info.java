/** Stand-in for the package of the same name in Eclipse Kura: publishers. */
@org.osgi.annotation.versioning.Version("1.0.0")
package org.eclipse.kura.cloudconnection.publisher;
