/**
 * Traffic replayed against policies that keep functions warm: a discrete-event simulation, without
 * containers.
 */
package io.weir.bench.replay;
