package org.eclipse.kura.wire;

import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.service.wireadmin.Producer;

/**
 * A box that sends.
 *
 * <p>Source: the public signatures of {@code WireEmitter} in org.eclipse.kura.api of Eclipse Kura 5.6.0.
 */
@ConsumerType
public interface WireEmitter extends WireComponent, Producer {}
