'use strict';

const http = require('node:http');
const {Windows} = require('./windows.js');

const MAX_BODY = 1024 * 1024;

/** The number in a message: `21.5`, or JSON with a number `value`. */
function reading(body) {
  let message;
  try {
    message = JSON.parse(body);
  } catch {
    return NaN;
  }
  const value = message !== null && typeof message === 'object' ? message.value : message;
  return typeof value === 'number' ? value : NaN;
}

function answer(windows, headers, body) {
  const value = reading(body);
  if (!Number.isFinite(value)) {
    return {status: 400, type: 'text/plain', body: 'body holds no finite number; send 21.5 or {"value": 21.5}\n'};
  }
  const stamp = Date.parse(headers['ce-time'] ?? '');
  const summary = windows.add(headers['ce-subject'] ?? '', value, Number.isNaN(stamp) ? Date.now() : stamp);
  return summary ? {status: 200, type: 'application/json', body: JSON.stringify(summary)} : {status: 204};
}

function serve(windows) {
  return http.createServer((request, response) => {
    const chunks = [];
    let size = 0;
    request.on('data', chunk => {
      size += chunk.length;
      if (size <= MAX_BODY) {
        chunks.push(chunk);
      }
    });
    request.on('end', () => {
      let result;
      if (request.method !== 'POST') {
        result = {status: 200, type: 'text/plain', body: 'aggregate: POST readings to me\n'};
      } else if (size > MAX_BODY) {
        result = {status: 413, type: 'text/plain', body: `body larger than ${MAX_BODY} bytes\n`};
      } else {
        result = answer(windows, request.headers, Buffer.concat(chunks).toString());
      }
      response.sendDate = false;
      response.writeHead(result.status, result.body === undefined
        ? {}
        : {'content-type': result.type, 'content-length': Buffer.byteLength(result.body)});
      response.end(result.body);
    });
    request.on('error', () => response.destroy());
  });
}

module.exports = {answer, reading, serve};

if (require.main === module) {
  const server = serve(new Windows(Number(process.env.WINDOW_SECONDS ?? '10')));
  server.keepAliveTimeout = 0;                   // the gateway decides how long a connection is worth keeping
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => process.exit(0));   // PID 1 of a container ignores signals it does not handle
  }
  server.listen(Number(process.env.PORT ?? '8080'));
}
