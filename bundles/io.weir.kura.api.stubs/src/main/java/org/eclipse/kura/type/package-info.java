/** Stand-in for the package of the same name in Eclipse Kura: values with a type. */
@org.osgi.annotation.versioning.Version("1.1.0")
package org.eclipse.kura.type;
