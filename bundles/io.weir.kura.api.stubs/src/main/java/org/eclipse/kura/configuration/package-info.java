/** Stand-in for the package of the same name in Eclipse Kura: configurable components. */
@org.osgi.annotation.versioning.Version("1.2.0")
package org.eclipse.kura.configuration;
