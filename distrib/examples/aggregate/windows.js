'use strict';

/**
 * Tumbling windows of event time, one row of them per topic. A window is told when the first reading after its end
 * arrives: a function speaks only when it is spoken to, so the last window of a topic that falls silent is never told.
 */
class Windows {
  #open = new Map();
  #millis;
  #most;

  constructor(seconds, most = 10_000) {
    if (!(seconds > 0)) {
      throw new RangeError(`WINDOW_SECONDS must be above 0, not ${seconds}`);
    }
    this.#millis = seconds * 1000;
    this.#most = most;
  }

  /** Adds a reading; returns the summary of the window that it closed, or null. A late reading counts in the open one. */
  add(topic, value, at) {
    const start = Math.floor(at / this.#millis) * this.#millis;
    const open = this.#open.get(topic);
    this.#open.delete(topic);                    // and in again below: the map's order is the order of last use
    if (open && start <= open.start) {
      open.count++;
      open.sum += value;
      open.min = Math.min(open.min, value);
      open.max = Math.max(open.max, value);
      this.#open.set(topic, open);
      return null;
    }
    this.#open.set(topic, {start, count: 1, sum: value, min: value, max: value});
    if (this.#open.size > this.#most) {          // a topic per message must not eat the memory
      this.#open.delete(this.#open.keys().next().value);
    }
    return open ? this.#summary(topic, open) : null;
  }

  #summary(topic, {start, count, sum, min, max}) {
    return {
      topic,
      from: new Date(start).toISOString(),
      to: new Date(start + this.#millis).toISOString(),
      count,
      mean: Number((sum / count).toPrecision(12)),
      min,
      max,
    };
  }
}

module.exports = {Windows};
