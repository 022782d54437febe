/** Stand-in for the package of the same name in Eclipse Kura: boxes with several ports. */
@org.osgi.annotation.versioning.Version("1.0.0")
package org.eclipse.kura.wire.graph;
