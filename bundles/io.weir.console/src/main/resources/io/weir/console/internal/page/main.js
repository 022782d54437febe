// Puts the page together.

import {Link} from './api.js';
import {byId, setText} from './dom.js';
import {EventLog, isProblem} from './events.js';
import {time} from './format.js';
import {FunctionTable} from './functions.js';
import {GatewayView} from './gateway.js';
import {KernelView} from './kernel.js';

const link = new Link(lost => {
  const banner = byId('link');
  banner.className = lost ? 'lost' : '';
  document.body.classList.toggle('stale', lost !== null);
  setText(banner, lost ? `${lost.whole ? 'Connection to the gateway lost' : 'Part of the gateway does not answer'} since `
    + `${time(lost.since)}. What is shown may be from before; trying again. (${lost.detail})` : '');
  gateway.lost(lost?.whole ?? false);
});
const gateway = new GatewayView();
const functions = new FunctionTable(() => link.soon('functions', 'instances'));
const kernel = new KernelView();
const log = new EventLog();

link.feed('status', 5000, status => gateway.show(status));
link.feed('functions', 10_000, answer => functions.functions(answer.functions));
link.feed('instances', 2000, answer => functions.instances(answer.instances));
link.feed('traffic', 2000, answer => {
  functions.traffic(answer.functions);
  gateway.traffic(functions.totals());
});
link.feed('usage', 4000, answer => functions.usage(answer.functions));
link.feed('forecasts', 10_000, answer => functions.forecasts(answer.forecasts));
link.feed('kernel', 10_000, report => kernel.show(report));
link.events(() => log.restart(), (kind, event) => {
  log.heard(kind, event);
  functions.heard(kind, event);
  if (kind === 'instance') {
    link.soon('instances');
    if (event.change === 'ready' || isProblem(kind, event)) {
      link.soon('functions');
    }
  } else if (kind === 'function') {
    link.soon('functions', 'instances', 'status');
  } else if (kind === 'part') {
    link.soon('status', 'kernel');
  }
});
link.watch();
