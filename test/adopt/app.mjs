// SPDX-License-Identifier: Apache-2.0
// app.mjs - an instance for the steps: the example shop, and under /live what a shop lacks: WebSockets, event streams, uploads.
//   node app.mjs --port N
// Always: a note is kept as often as it came, and each request is counted as `direct` or `through` evenkeel, which alone adds
// a traceparent; GET /live/notes tells both. /live/trouble fails on this instance while /live/sick says so.
import { createHash } from 'node:crypto';
import http from 'node:http';
import { parseArgs } from 'node:util';
import { Shop } from '../../examples/shop/db.mjs';
import { route } from '../../examples/shop/routes.mjs';
import { accept } from '../clients/websocket.mjs';

const { values } = parseArgs({ options: { port: { type: 'string' } } });
const shop = new Shop();
await shop.prepare();

const notes = {};
const seen = { direct: 0, through: 0 };
let sick = false;

function json(response, status, value) {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

async function digest(request) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of request) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function note(request, response) {
  let id = '';
  for await (const piece of request) id += piece;
  notes[id] = (notes[id] ?? 0) + 1;
  json(response, 201, { id });
}

function events(request, response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no' });
  let id = 0;
  const tick = setInterval(() => response.write(`id: ${++id}\n\n`), 100);
  response.on('close', () => clearInterval(tick));
}

function chunks(request, response, url) {
  response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
  let left = Number(url.searchParams.get('n'));
  const more = () => {
    const n = Math.min(left, 7001);
    left -= n;
    if (n) response.write(Buffer.alloc(n, 'k'), () => setImmediate(more));
    else response.end();
  };
  more();
}

const live = {
  '/live/note': note,
  '/live/notes': (request, response) => json(response, 200, { notes, seen }),
  '/live/upload': async (request, response) => json(response, 200, await digest(request)),
  '/live/events': events,
  '/live/chunks': chunks,
  '/live/sick': (request, response) => {
    sick = request.method === 'POST';
    json(response, 200, { sick });
  },
  '/static/app.js': (request, response) => response.writeHead(200, { 'Content-Length': 12 }).end('let it = 1;\n'), // when no nginx does
  '/live/trouble': (request, response) => json(response, sick ? 503 : 200, { sick }),
};

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://app');
  const own = live[url.pathname];
  if (url.pathname !== '/live/notes' && url.pathname !== '/live/sick') seen[request.headers.traceparent ? 'through' : 'direct']++;
  Promise.resolve(own ? own(request, response, url) : route(shop, request, response)).catch((e) => {
    console.error(`${request.method} ${request.url}: ${e.message}`);
    response.destroy();
  });
});
server.on('upgrade', (request, socket, head) => {
  seen[request.headers.traceparent ? 'through' : 'direct']++;
  accept(request, socket, head, new URLSearchParams());
});
server.keepAliveTimeout = 75_000;
server.listen(Number(values.port), '127.0.0.1', () => console.log(`listening ${values.port}`));
