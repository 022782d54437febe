/** Stand-in for the package of the same name in Eclipse Kura: what is known of a component's settings. */
@org.osgi.annotation.versioning.Version("1.1.0")
package org.eclipse.kura.configuration.metatype;
