// All about one function, and what can be done with it.

import {change, getText, invoke} from './api.js';
import {byId, el, facts, Keyed, row, setClass, setText} from './dom.js';
import {bytes, count, millis, time, triggerText} from './format.js';

const RUNGS = ['image', 'created', 'armed', 'frozen', 'running'];
const MOST_TEXT = 20_000;

const cut = text => text.length <= MOST_TEXT ? text
  : `${text.slice(0, MOST_TEXT)}\n… and ${count(text.length - MOST_TEXT)} more characters`;

/** Resolves to whether the person at the page means it. */
function confirmed(text) {
  const dialog = byId('confirm');
  setText(byId('confirm-text'), text);
  dialog.returnValue = 'no';
  for (const button of dialog.querySelectorAll('button')) {
    button.onclick = () => dialog.close(button.value);
  }
  dialog.showModal();
  return new Promise(resolve => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), {once: true});
  });
}

export class Detail {
  #name;
  #changed;
  #declared;
  #counted;
  #instances;
  #table;
  #none = el('p', {class: 'quiet'}, 'No instance: the next request starts one.');
  #words = el('pre');
  #wordsTitle = el('h4');
  #said = el('output', {'aria-live': 'polite'});
  #text = el('pre', {tabindex: '0', hidden: true});

  constructor(parent, name, changed) {
    this.#name = name;
    this.#changed = changed;
    const declared = el('dl', {class: 'facts'});
    const counted = el('dl', {class: 'facts'});
    const instances = el('tbody', {role: 'rowgroup'});
    const heads = ['Instance', 'State', 'Since', 'In flight', 'Served', 'Memory', 'Address'];
    this.#declared = facts(declared);
    this.#counted = facts(counted);
    this.#instances = new Keyed(instances, each => each.name, () => {
      const node = row(heads);
      node.children[1].append(el('span'));
      return {node};
    }, ({node}, each) => {
      const texts = [each.name, null, time(each.since), count(each.inFlight), count(each.served), bytes(each.memoryBytes),
        each.address ?? '–'];
      texts.forEach((text, i) => text === null || setText(node.children[i], text));
      setText(node.children[1].firstElementChild, each.state);
      setClass(node.children[1].firstElementChild, `pill ${each.state === 'ready' ? 'good' : each.state}`);
    });
    this.#table = el('table', {class: 'cards', role: 'table', 'aria-label': `Instances of ${name}`},
      el('thead', {role: 'rowgroup'}, el('tr', {role: 'row'}, ...heads.map(head =>
        el('th', {role: 'columnheader', scope: 'col'}, head)))), instances);
    parent.append(el('td', {role: 'cell', colspan: '9'},
      el('div', {class: 'columns'},
        el('div', {}, el('h4', {}, 'Declared'), declared),
        el('div', {}, el('h4', {}, 'Counted'), counted)),
      el('h4', {}, 'Instances'), this.#table,
      this.#none, this.#wordsTitle, this.#words, this.#actions(), this.#said, this.#text));
  }

  #actions() {
    const name = this.#name;
    const path = `functions/${encodeURIComponent(name)}`;
    const rung = el('select', {id: `rung-${name}`}, ...RUNGS.map(each => el('option', {}, each)));
    const body = el('textarea', {id: `body-${name}`, rows: '2', spellcheck: 'false', placeholder: 'Body of the request'});
    return el('div', {class: 'actions'},
      el('label', {class: 'unseen', for: body.id}, `Body of a request to ${name}`), body,
      this.#button('Invoke', async () => {
        const answer = await invoke(name, body.value);
        this.#show(cut(answer.text));
        return `answered ${answer.status} after ${millis(answer.took)}`;
      }),
      el('label', {for: rung.id}, 'Rest at'), rung,
      this.#button('Rest', async () => {
        await change('PUT', `${path}/rung`, {rung: rung.value});
        return `rests at ${rung.value}`;
      }),
      this.#button('Output', async () => {
        const text = await getText(`${path}/logs?lines=200`);
        this.#show(cut(text));
        return text ? 'the last lines it wrote:' : 'it wrote nothing yet';
      }),
      this.#button('Delete …', async () => {
        if (!await confirmed(`Delete the function ${name}? Its instances end; its image stays.`)) {
          return 'kept';
        }
        await change('DELETE', path);
        return 'deleted';
      }, 'danger'));
  }

  /** A button that waits for what it does, and says what came of it. */
  #button(label, work, kind) {
    const button = el('button', {type: 'button', class: kind, click: async () => {
      button.disabled = true;
      this.#show('');
      setText(this.#said, `${label.replace(' …', '')} …`);
      setClass(this.#said, '');
      try {
        setText(this.#said, await work());
      } catch (e) {
        setText(this.#said, e.message);
        setClass(this.#said, 'trouble');
      }
      button.disabled = false;
      this.#changed();
    }}, label);
    return button;
  }

  #show(text) {
    setText(this.#text, text);
    this.#text.hidden = !text;
  }

  show({spec, instances, traffic, usage, forecast, words}) {
    const {service} = spec;
    this.#declared([
      ['Triggers', spec.triggers.map(triggerText).join(', ')],
      ['Answers to', spec.output],
      ['Service address', service?.addresses.join(', ')],
      ['Led there by', service?.way],
      ['Open to', service?.from?.join(', ')],
      ['At most', service?.rate > 0 ? `${service.rate}/s of each client, ${service.burst} at once` : null],
      ['May connect to', spec.egress?.join(', ') || 'nothing'],
      ['Instances', `${spec.instances.min} to ${spec.instances.max}, ${spec.concurrency} at a time each`],
      ['Rests at', `${spec.rest}, after ${spec.idle} idle`],
      ['Limits', `${spec.memory}, ${spec.cpus} CPU, ${spec.pids} processes, ${spec.timeout}`],
      ['Declared in', spec.origin],
      ['Revision', spec.revision],
    ]);
    this.#counted([
      ['Requests', traffic && count(traffic.requests)],
      ['Answers', traffic && Object.entries(traffic.responses).filter(([, many]) => many > 0)
        .map(([kind, many]) => `${kind} ${count(many)}`).join(', ')],
      ['Latency', traffic?.latencyMs.max > 0 ? ['p50', 'p90', 'p99', 'max'].map(each =>
        `${each} ${millis(traffic.latencyMs[each])}`).join(', ') : null],
      ['Bytes', traffic && `${bytes(traffic.bytesIn)} in, ${bytes(traffic.bytesOut)} out`],
      ['Connections', traffic && [count(traffic.connections), traffic.http2 > 0 && `${count(traffic.http2)} of HTTP/2`,
        traffic.other > 0 && `${count(traffic.other)} of something else`].filter(part => part).join(', ')],
      ['Aborts', traffic && count(traffic.aborts)],
      ['CPU time', usage && `${usage.cpuSeconds.toFixed(2)} s`],
      ['Memory', usage && bytes(usage.memoryBytes)
        + (usage.memoryLimitBytes > 0 ? ` of ${bytes(usage.memoryLimitBytes)}` : '')],
      ['Processes', usage && count(usage.pids)],
      ['Pressure', usage?.pressure && `CPU ${usage.pressure.cpu} %, memory ${usage.pressure.memory} %, I/O ${
        usage.pressure.io} %`],
      ['Next call', forecast?.next && `${time(forecast.next.from)} to ${time(forecast.next.to)}, ${
        Math.round(forecast.next.probability * 100)} % (${forecast.driver})`],
      ['Started before it was called', forecast?.prewarms.made > 0 ? `${count(forecast.prewarms.made)} times, ${
        count(forecast.prewarms.hits)} hits, ${count(forecast.prewarms.wrong)} wrong` : null],
      ['By the kernel', traffic ? null : 'nothing is counted here; see Kernel'],
    ]);
    this.#instances.show(instances);
    this.#table.hidden = instances.length === 0;
    this.#none.hidden = instances.length > 0;
    this.#wordsTitle.hidden = this.#words.hidden = !words?.text;
    setText(this.#wordsTitle, words ? `Last words: ${words.title}, ${time(words.at)}` : '');
    setText(this.#words, words?.text ?? '');
  }
}
