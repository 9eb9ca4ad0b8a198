// SPDX-License-Identifier: Apache-2.0
// app.mjs - an app that does what apps do: bodies of every framing, redirects, cookies, 103, trailers, events, WebSockets.
// Always: no dependencies, and every answer follows from its request alone, so that each client can say what is right.
//   node app.mjs [PORT]     prints `listening PORT`; the last byte of standard input ends it
// Next: page.mjs, what a browser runs here; websocket.mjs, the echo.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { gzipSync } from 'node:zlib';
import { page } from './page.mjs';
import { accept, openSockets } from './websocket.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const pattern = (n) => Buffer.alloc(n).map((_, i) => (i * 31 + (i >> 8) * 7) & 255);
const patterns = new Map();
const bytesOf = (n) => patterns.get(n) ?? patterns.set(n, pattern(n)).get(n);
const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
const SIZE_MAX = 64 * 1024 * 1024;
const size = (query) => Math.min(Number(query.get('n')) || 0, SIZE_MAX);
const abandoned = new Set(); // ids of slow requests whose client left
const seen = new Map(); // ids of event streams whose first event must be seen: what to do when it is
const UNSEEN_MS = 10000;

function json(res, value, status = 200) {
  const body = JSON.stringify(value);
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  res.end(body);
}

async function bodyOf(req) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of req) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function echo(req, res) {
  const body = await bodyOf(req);
  json(res, { method: req.method, url: req.url, version: req.httpVersion, ...body, headers: req.headers });
}

function big(req, res, query) {
  const all = bytesOf(size(query));
  const range = /^bytes=(\d+)-(\d+)$/.exec(req.headers.range ?? '');
  const part = range ? all.subarray(Number(range[1]), Number(range[2]) + 1) : all;
  res.writeHead(range ? 206 : 200, {
    'Content-Type': 'application/octet-stream', 'Content-Length': part.length, 'X-Sha256': sha256(part),
    ...(range && { 'Content-Range': `bytes ${range[1]}-${range[2]}/${all.length}` }),
  });
  res.end(part);
}

async function drained(res) {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(res, 'drain', { signal }), once(res, 'close', { signal })]).finally(() => over.abort());
}

async function chunked(req, res, query) {
  const all = bytesOf(size(query));
  res.writeHead(200, { 'Content-Type': 'application/octet-stream', 'X-Sha256': sha256(all) });
  for (let at = 0, step = 1; at < all.length && !res.destroyed; at += step, step = (step * 3 + 1) % 65537) {
    if (!res.write(all.subarray(at, at + step))) await drained(res);
  }
  res.end();
}

const seenBy = (id) => new Promise((go) => {
  const late = setTimeout(() => go(false), UNSEEN_MS);
  seen.set(id, () => { clearTimeout(late); go(true); });
});

// With ?until=ID the second event comes only when the client says at /sse-seen?id=ID that it has the first: whoever holds events back
// until there are more gets one and the end. No clock decides it.
async function events(req, res, query) {
  const last = Number(req.headers['last-event-id'] ?? 0);
  const until = query.get('until');
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  res.write('retry: 100\n\n');
  for (let id = last + 1; id <= last + 5 && !res.destroyed; id++) {
    const told = until && id === last + 1 ? seenBy(until) : pause(100).then(() => true);
    res.write(`id: ${id}\ndata: event ${id}\n\n`);
    if (!await told) break;
  }
  res.end();
}

async function slow(req, res, query) {
  res.on('close', () => { if (!res.writableFinished) abandoned.add(query.get('id')); });
  await pause(Number(query.get('ms')) || 0);
  json(res, { slow: true });
}

function redirect(req, res, query) {
  const origin = query.has('absolute') ? `${req.headers['x-forwarded-proto'] ?? 'http'}://${req.headers.host}` : '';
  req.resume();
  res.writeHead(Number(query.get('code')) || 302, { Location: `${origin}/echo?redirected`, 'Content-Length': 0 });
  res.end();
}

function gzip(req, res) {
  const body = gzipSync('evenkeel '.repeat(1000));
  res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip', 'Content-Length': body.length,
    Vary: 'Accept-Encoding', 'X-Sha256': sha256(body) });
  res.end(body);
}

function tagged(req, res) {
  const same = req.headers['if-none-match'] === '"v1"';
  res.writeHead(same ? 304 : 200, { ETag: '"v1"', ...(!same && { 'Content-Length': 7 }) });
  res.end(same ? undefined : 'version');
}

function earlyHints(req, res) {
  if (req.httpVersion !== '1.0') res.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
  setTimeout(() => json(res, { early: true }), 50);
}

function trailers(req, res) {
  const all = bytesOf(10000);
  res.writeHead(200, { Trailer: 'X-Sha256' });
  res.write(all);
  res.addTrailers({ 'X-Sha256': sha256(all) });
  res.end();
}

// What Node would not say by itself: an answer of HTTP/1.0, and one of HTTP/1.1, that end with the connection.
const raw = (line) => (req) => {
  const all = bytesOf(100000);
  req.socket.end(Buffer.concat([Buffer.from(`${line} 200 OK\r\nX-Sha256: ${sha256(all)}\r\nConnection: close\r\n\r\n`),
    req.method === 'HEAD' ? Buffer.alloc(0) : all]));
};

// Answers as if the connection would be kept, and closes it a moment later, as an app that restarts does.
function hangUp(req, res) {
  json(res, { hangUp: true });
  setTimeout(() => req.socket.end(), 50);
}

const answers = {
  '/': (req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': Buffer.byteLength(page) });
    res.end(page);
  },
  '/echo': echo,
  '/big': big,
  '/chunked': chunked,
  '/sse': events,
  '/sse-seen': (req, res, query) => {
    seen.get(query.get('id'))?.();
    json(res, { known: seen.delete(query.get('id')) });
  },
  '/slow': slow,
  '/abandoned': (req, res, query) => json(res, { abandoned: abandoned.has(query.get('id')) }),
  '/redirect': redirect,
  '/gzip': gzip,
  '/cookie': (req, res) => {
    res.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2; Path=/; SameSite=Lax']);
    json(res, { cookie: req.headers.cookie ?? '' });
  },
  '/204': (req, res) => res.writeHead(204).end(),
  '/304': tagged,
  '/upload': async (req, res) => json(res, { ...await bodyOf(req), length: req.headers['content-length'] ?? null }),
  '/early-hints': earlyHints,
  '/trailers': trailers,
  '/1.0': raw('HTTP/1.0'),
  '/until-close': raw('HTTP/1.1'),
  '/hang-up': hangUp,
  '/ws': (req, res) => json(res, { why: 'this is for WebSockets' }, 426),
  '/ws-open': (req, res) => json(res, { open: openSockets() }),
};

async function answer(req, res) {
  const { pathname, searchParams } = new URL(req.url, 'http://app');
  const how = answers[pathname];
  try {
    if (how) await how(req, res, searchParams);
    else json(res, { why: 'there is no such page' }, 404);
  } catch (e) {
    if (e.code !== 'ECONNRESET') console.error(`${req.method} ${req.url}: ${e.stack}`); // a client may leave
    res.destroy();
  }
}

const server = http.createServer(answer);

// A body that is announced and not wanted: the answer comes instead of 100.
server.on('checkContinue', (req, res) => {
  if (new URL(req.url, 'http://app').searchParams.has('refuse')) {
    res.setHeader('Connection', 'close');
    json(res, { why: 'too large' }, 413);
    return;
  }
  res.writeContinue();
  answer(req, res);
});

server.on('upgrade', (req, socket, head) => {
  const { pathname, searchParams } = new URL(req.url, 'http://app');
  const wanted = pathname === '/ws' && /^websocket$/i.test(req.headers.upgrade);
  if (wanted && !searchParams.has('refuse')) {
    accept(req, socket, head, searchParams);
    return;
  }
  // an upgrade that we do not do is a request like any other (RFC 9110, 7.8), except on /ws
  const [status, body] = wanted ? ['403 Forbidden', 'refused'] : ['200 OK', 'no upgrade'];
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
});

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
