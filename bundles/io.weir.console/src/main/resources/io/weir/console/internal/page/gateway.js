// The gateway as a whole, and its parts.

import {byId, el, facts, Keyed, row, setClass, setText} from './dom.js';
import {bytes, count, duration, rate, time} from './format.js';

export class GatewayView {
  #state = byId('state').firstElementChild;
  #tiles = facts(byId('tiles'));
  #status = null;
  #totals = null;
  #lost = false;
  #parts = new Keyed(byId('parts'), part => part.name, () => {
    const node = row(['Part', 'Ready', 'State']);
    node.children[1].append(el('span'));
    return {node};
  }, ({node}, part) => {
    setText(node.children[0], part.name);
    setText(node.children[1].firstElementChild, part.ready ? 'yes' : 'no');
    setClass(node.children[1].firstElementChild, part.ready ? 'pill good' : 'pill bad');
    setText(node.children[2], part.state);
  });
  #problems = new Keyed(byId('problems'), problem => `${problem.source}:${problem.line}:${problem.message}`, problem =>
    ({node: el('p', {class: 'problem'}, el('strong', {}, problem.source + (problem.line > 0 ? `:${problem.line}` : '')),
      ` ${problem.message} `, el('span', {class: 'quiet'}, `since ${time(problem.since)}`))}), () => {});

  show(status) {
    this.#status = status;
    setText(byId('name'), status.gateway);
    document.title = `${status.ready ? '' : '⚠ '}${status.gateway} · Weir`;
    this.#parts.show(status.parts);
    this.#problems.show(status.problems);
    this.#render();
  }

  /** @param totals of all functions; null where nobody counts */
  traffic(totals) {
    this.#totals = totals;
    this.#render();
  }

  lost(lost) {
    this.#lost = lost;
    this.#render();
  }

  #render() {
    const status = this.#status;
    const waiting = status?.parts.filter(part => !part.ready).map(part => part.name) ?? [];
    const ready = !this.#lost && status?.ready;
    setText(this.#state, this.#lost ? 'not connected' : !status ? 'connecting …' : status.ready ? 'ready'
      : `not ready${waiting.length > 0 ? `: ${waiting.join(', ')}` : ''}`);
    setClass(this.#state, ready ? 'pill good' : this.#lost || status ? 'pill bad' : 'pill');
    if (!status) {
      return;
    }
    const {memory, engine, broker} = status;
    const counters = status.counters;
    this.#tiles([
      ['Functions', count(status.functions)],
      ['Instances', count(status.instances)],
      ['Requests', this.#totals ? rate(this.#totals.rate) : null],
      ['In flight', this.#totals ? count(this.#totals.inFlight) : null],
      ['Cold starts', count(counters['cold-starts'])],
      ['Memory held', memory ? `${bytes(memory.heldBytes)} of ${bytes(memory.totalBytes)}` : null],
      ['Memory pressure', memory?.pressed ? 'the machine is short' : null],
      ['Spare runners', status.runners.map(spare => spare.language).join(', ')],
      ['Up for', duration(status.uptimeSeconds)],
    ]);
    setText(byId('about'), [`Weir ${status.version}, since ${time(status.started)}`,
      engine && `Podman ${engine.version} with ${engine.runtime}, cgroups ${engine.cgroups}`
        + (engine.embedded ? '' : `, at ${engine.socket}`),
      broker && `broker ${broker.uri}${broker.bundled ? '' : ', not ours'}`].filter(part => part).join(' · '));
  }
}
