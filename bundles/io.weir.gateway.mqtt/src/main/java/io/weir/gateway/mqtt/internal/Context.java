package io.weir.gateway.mqtt.internal;

import io.weir.broker.Broker;
import io.weir.event.Events;
import io.weir.invocation.Invoker;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What all sessions share.
 *
 * @param timer must not be blocked
 * @param writer may be blocked, by writing to the broker
 */
record Context(Broker broker, Invoker invoker, Events events, ScheduledExecutorService timer, Executor writer,
    Settings settings, String gatewayId, SessionFiles files) {}
