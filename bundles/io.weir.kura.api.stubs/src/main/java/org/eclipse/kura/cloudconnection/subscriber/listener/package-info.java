/** Stand-in for the package of the same name in Eclipse Kura: who hears of messages. */
@org.osgi.annotation.versioning.Version("1.0.0")
package org.eclipse.kura.cloudconnection.subscriber.listener;
