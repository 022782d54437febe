/** Stand-in for the package of the same name in Eclipse Kura: subscribers. */
@org.osgi.annotation.versioning.Version("1.0.0")
package org.eclipse.kura.cloudconnection.subscriber;
