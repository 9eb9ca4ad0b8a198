// SPDX-License-Identifier: Apache-2.0
// node.mjs - Node as a client: node:http with an agent, and fetch.
//   node node.mjs BASE [CA-FILE]
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

const [base, ca] = process.argv.slice(2);
if (ca && process.env.NODE_EXTRA_CA_CERTS !== ca) { // fetch takes it from there alone, at the start
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: ca };
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { stdio: 'inherit', env }).status ?? 1);
}
const origin = new URL(base);
const lib = origin.protocol === 'https:' ? https : http;
const keep = new lib.Agent({ keepAlive: true, maxSockets: 1 });
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const must = (right, why) => { if (!right) throw new Error(why); };
const same = (got, want, what) => must(got === want, `${what} is ${got}, not ${want}`);

async function all(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

// One exchange with node:http; `before` sees the request before it ends.
async function ask(path, { body, before, ...options } = {}) {
  const req = lib.request(new URL(path, base), { agent: keep, ...options });
  const answered = new Promise((go, no) => { req.on('response', go).on('error', no); });
  if (before) await before(req);
  req.end(body);
  const res = await answered;
  const port = res.socket.localPort;
  const bytes = await all(res);
  return { res, port, bytes, json: () => JSON.parse(bytes) };
}

async function whole(path, length) {
  const res = await fetch(base + path);
  const bytes = Buffer.from(await res.arrayBuffer());
  same(bytes.length, length, 'the length');
  same(sha256(bytes), res.headers.get('x-sha256'), 'the sum');
  return res;
}

const cases = {
  'http-get': async () => {
    const { res, json } = await ask('/echo?x=1', { headers: { 'X-Custom': 'kept' } });
    same(res.statusCode, 200, 'the status');
    same(`${json().method} ${json().url} ${json().headers['x-custom']}`, 'GET /echo?x=1 kept', 'the request');
  },
  'http-host-kept': async () => same((await ask('/echo')).json().headers.host, origin.host, 'Host'),
  'http-keep-alive': async () => {
    const ports = new Set();
    for (let i = 0; i < 20; i++) ports.add((await ask('/echo')).port);
    same(ports.size, 1, 'the number of connections');
  },
  'http-head': async () => {
    const { res, bytes } = await ask('/big?n=12345', { method: 'HEAD' });
    same(res.headers['content-length'], '12345', 'Content-Length');
    same(bytes.length, 0, 'the body');
    same((await ask('/echo')).res.statusCode, 200, 'the status of the next one');
  },
  'http-204': async () => {
    const { res, bytes } = await ask('/204');
    same(`${res.statusCode} ${bytes.length} ${res.headers['content-length']}`, '204 0 undefined', 'the answer');
  },
  'http-304': async () => {
    const { res, bytes } = await ask('/304', { headers: { 'If-None-Match': '"v1"' } });
    same(`${res.statusCode} ${bytes.length} ${res.headers.etag}`, '304 0 "v1"', 'the answer');
    same((await ask('/304')).bytes.toString(), 'version', 'the text of the next one');
  },
  'http-expect-continue': async () => {
    const body = randomBytes(2 ** 20);
    let told = false;
    const { json } = await ask('/upload', { method: 'POST', body, headers: { Expect: '100-continue', 'Content-Length': body.length },
      before: async (req) => {
        req.flushHeaders();
        told = await Promise.race([new Promise((go) => { req.once('continue', () => go(true)); }), pause(3000, false)]);
      } });
    must(told, 'no 100 in 3 s');
    same(json().sha256, sha256(body), 'the sum');
  },
  'http-chunked-upload': async () => {
    const parts = Array.from({ length: 50 }, (_, i) => randomBytes(1 + i * 997));
    const { json } = await ask('/upload', { method: 'POST', before: async (req) => {
      for (const part of parts) {
        req.write(part);
        await pause(2);
      }
    } });
    same(json().sha256, sha256(Buffer.concat(parts)), 'the sum');
  },
  'http-trailers': async () => {
    const { res, bytes } = await ask('/trailers');
    same(bytes.length, 10000, 'the length');
    same(res.trailers['x-sha256'], process.env.TRAILERS === 'dropped' ? undefined : sha256(bytes), 'the trailer');
  },
  'http-early-hints': async () => {
    let link;
    const { json } = await ask('/early-hints', { before: async (req) => {
      req.on('information', (i) => { link = `${i.statusCode} ${i.headers.link}`; });
    } });
    same(json().early, true, 'early');
    same(link, '103 </style.css>; rel=preload; as=style', 'what came first');
  },
  'http-client-gone': async () => {
    const id = randomBytes(8).toString('hex');
    const req = lib.get(new URL(`/slow?ms=20000&id=${id}`, base), { agent: false }).on('error', () => {});
    await pause(300);
    req.destroy();
    let seen = false;
    for (let i = 0; i < 30 && !seen; i++) {
      await pause(100);
      seen = (await ask(`/abandoned?id=${id}`)).json().abandoned;
    }
    must(seen, 'the app was not told within 3 s that its client left');
  },
  'fetch-post-json': async () => {
    const body = JSON.stringify({ words: 'Grüße'.repeat(100) });
    const got = await (await fetch(`${base}/echo`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })).json();
    same(`${got.method} ${got.headers['content-type']} ${got.sha256}`, `POST application/json ${sha256(body)}`, 'the request');
  },
  'fetch-methods': async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      same((await (await fetch(`${base}/echo`, { method })).json()).method, method, 'the method');
    }
  },
  'fetch-stream-upload': async () => {
    const parts = Array.from({ length: 20 }, () => randomBytes(20000));
    const body = new ReadableStream({ async start(c) {
      for (const part of parts) {
        c.enqueue(part);
        await pause(5);
      }
      c.close();
    } });
    const got = await (await fetch(`${base}/upload`, { method: 'POST', body, duplex: 'half' })).json();
    same(got.sha256, sha256(Buffer.concat(parts)), 'the sum');
  },
  'fetch-download-20MiB': () => whole('/big?n=20971520', 20971520),
  'fetch-chunked-download': () => whole('/chunked?n=3000000', 3000000),
  'fetch-until-close': () => whole('/until-close', 100000),
  'fetch-http-1.0-app': () => whole('/1.0', 100000),
  'fetch-gzip': async () => same(await (await fetch(`${base}/gzip`)).text(), 'evenkeel '.repeat(1000), 'the text'),
  'fetch-cookies': async () => {
    // joined by get(): Node 18 has no getSetCookie() yet
    same((await fetch(`${base}/cookie`)).headers.get('set-cookie'), 'a=1; Path=/, b=2; Path=/; SameSite=Lax', 'Set-Cookie');
  },
  'fetch-redirect': async () => {
    const res = await fetch(`${base}/redirect?absolute`);
    same(res.url, `${origin.origin}/echo?redirected`, 'the address');
    const post = await (await fetch(`${base}/redirect?code=307`, { method: 'POST', body: 'kept' })).json();
    same(`${post.method} ${post.bytes}`, 'POST 4', 'the request after 307');
  },
  'fetch-slow-2s': async () => {
    const begun = Date.now();
    same((await (await fetch(`${base}/slow?ms=2000`)).json()).slow, true, 'slow');
    must(Date.now() - begun >= 1900, 'it was too fast');
  },
  'fetch-concurrent-50': async () => {
    const one = async (_, i) => (await (await fetch(`${base}/echo?i=${i}`, { method: 'POST', body: 'x'.repeat(i * 1000) })).json());
    const got = await Promise.all(Array.from({ length: 50 }, one));
    got.forEach(({ url, bytes }, i) => same(`${url} ${bytes}`, `/echo?i=${i} ${i * 1000}`, 'the request'));
  },
  'fetch-sse': async () => {
    const id = randomBytes(8).toString('hex');
    const res = await fetch(`${base}/sse?until=${id}`, { headers: { Accept: 'text/event-stream', 'Last-Event-ID': '3' } });
    let text = '';
    let told = false;
    for await (const part of res.body) {
      text += Buffer.from(part);
      if (!told && /^data: event/m.test(text)) told = await (await fetch(`${base}/sse-seen?id=${id}`)).json();
    }
    same([...text.matchAll(/^id: (\d+)$/gm)].map((m) => m[1]).join(), '4,5,6,7,8', 'the list of events (they may be held back)');
  },
  'http-upgrade-event': async () => {
    const key = randomBytes(16).toString('base64');
    const req = lib.request(new URL('/ws?hello', base), { agent: false, headers: { Connection: 'Upgrade', Upgrade: 'websocket',
      'Sec-WebSocket-Key': key, 'Sec-WebSocket-Version': 13 } });
    const [socket, head] = await new Promise((go, no) => {
      req.on('upgrade', (res, s, h) => go([s, h])).on('error', no);
      req.on('response', (res) => no(new Error(`the answer was ${res.statusCode}, not 101`)));
      req.end();
    });
    let got = head;
    for (const until = Date.now() + 3000; got.length < 7 && Date.now() < until; await pause(10)) {
      got = Buffer.concat([got, socket.read() ?? Buffer.alloc(0)]);
    }
    socket.destroy();
    same(got.toString('latin1'), '\x81\x05hello', 'the first frame');
  },
};

let failed = 0;
for (const [name, run] of Object.entries(cases)) {
  let late;
  const bound = new Promise((_, no) => { late = setTimeout(() => no(new Error('no end in 20 s')), 20000); });
  try {
    await Promise.race([run(), bound]);
    console.log(`ok ${name}`);
  } catch (e) {
    failed++;
    console.log(`FAIL ${name}: ${e.message}${e.cause ? ` (${e.cause.message})` : ''}`.replaceAll('\n', ' '));
  }
  clearTimeout(late);
}
process.exit(failed ? 1 : 0);
