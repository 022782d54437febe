// What the kernel does for the gateway, and what is done instead.

import {byId, el, facts, Keyed, row, setClass, setText} from './dom.js';
import {count} from './format.js';

const MEANING = {
  meter: 'counts at the functions’ sockets',
  route: 'leads packets of the LAN to instances',
  local: 'leads callers on this machine to instances',
  wake: 'hands over connections to functions that sleep',
  listen: 'tells when an instance listens',
  egress: 'refuses what functions may not connect to',
  shortcut: 'passes bytes from socket to socket',
  adapt: 'makes requests of MQTT messages',
};
/** Notes of things that were lost or refused; the others are business as usual. */
const DROPS = new Set(['signal-lost', 'flow-lost', 'denied-source', 'denied-rate', 'denied-egress', 'malformed', 'stale']);

export class KernelView {
  #notes = facts(byId('notes'));
  #features = new Keyed(byId('features'), feature => feature.name, feature => {
    const node = row(['Capability', 'Used', 'How', 'Missing']);
    const name = el('strong');
    node.children[0].append(name, el('small', {}, MEANING[feature.name] ?? ''));
    node.children[1].append(el('span'));
    return {node, name};
  }, ({node, name}, feature) => {
    setText(name, feature.name);
    setText(node.children[1].firstElementChild, feature.active ? 'yes' : 'no');
    setClass(node.children[1].firstElementChild, feature.active ? 'pill good' : 'pill');
    setText(node.children[2], feature.how);
    setText(node.children[3], feature.why);
  });

  show(report) {
    setText(byId('release'), report.kernel);
    this.#features.show(report.features);
    const notes = Object.entries(report.notes);
    byId('notes-title').hidden = notes.length === 0;
    this.#notes(notes.map(([word, times]) => [word, count(times)]));
    for (const entry of byId('notes').children) {
      const word = entry.firstElementChild.textContent;
      setClass(entry, DROPS.has(word) && report.notes[word] > 0 ? 'drop' : '');
    }
  }
}
