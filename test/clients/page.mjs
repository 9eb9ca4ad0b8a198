// SPDX-License-Identifier: Apache-2.0
// page.mjs - the page that a browser runs: its cases write `ok NAME` or `FAIL NAME: why` into #result; when all are through,
// document.title is OK or FAILED.
// Always: cases() runs in the browser and uses nothing from here; its source is all that is sent.

async function cases() {
  const must = (right, why) => { if (!right) throw new Error(why); };
  const same = (got, want, what) => must(got === want, `${what} is ${got}, not ${want}`);
  const hex = (bytes) => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, '0')).join('');
  const sha256 = async (bytes) => hex(await crypto.subtle.digest('SHA-256', bytes));
  const bytesOf = (n) => new Uint8Array(n).map((_, i) => (i * 13 + (i >> 8)) & 255);
  const sent = async (method, body, headers) => (await fetch('/echo', { method, body, headers })).json();
  const once = (target, kind) => new Promise((go, no) => {
    target.addEventListener(kind, go, { once: true });
    for (const bad of ['error', 'close'].filter((b) => b !== kind)) {
      target.addEventListener(bad, () => no(new Error(`${bad}, not ${kind}`)), { once: true });
    }
  });
  const socket = async (query = '') => {
    const ws = new WebSocket(`${location.origin.replace('http', 'ws')}/ws${query}`, ['echo']);
    ws.binaryType = 'arraybuffer';
    await once(ws, 'open');
    return ws;
  };
  const asked = async (ws, message) => {
    ws.send(message);
    return (await once(ws, 'message')).data;
  };
  const whole = async (path) => {
    const res = await fetch(path, { cache: 'no-store' });
    const body = await res.arrayBuffer();
    same(await sha256(body), res.headers.get('x-sha256'), 'the sum');
    return body.byteLength;
  };

  const all = {
    'get': async () => same((await sent('GET')).method, 'GET', 'the method'),
    'post-json': async () => {
      const body = JSON.stringify({ words: 'Grüße'.repeat(10) });
      const got = await sent('POST', body, { 'Content-Type': 'application/json' });
      same(got.headers['content-type'], 'application/json', 'the type');
      same(got.sha256, await sha256(new TextEncoder().encode(body)), 'the sum');
    },
    'put': async () => same((await sent('PUT', 'x'.repeat(1000))).bytes, 1000, 'the body'),
    'delete': async () => same((await sent('DELETE')).method, 'DELETE', 'the method'),
    'head': async () => same((await fetch('/big?n=12345', { method: 'HEAD' })).headers.get('content-length'), '12345', 'Content-Length'),
    'upload-1MiB': async () => {
      const body = bytesOf(2 ** 20);
      const got = await (await fetch('/upload', { method: 'POST', body })).json();
      same(got.bytes, body.length, 'the length');
      same(got.sha256, await sha256(body), 'the sum');
    },
    'upload-form': async () => {
      const form = new FormData();
      form.append('file', new Blob([bytesOf(100000)]), 'file.bin');
      const xhr = new XMLHttpRequest();
      xhr.open('POST', '/upload');
      xhr.send(form);
      await once(xhr, 'load');
      must(JSON.parse(xhr.responseText).bytes > 100000, 'the form is too short');
    },
    'download-8MiB': async () => same(await whole('/big?n=8388608'), 8388608, 'the length'),
    'chunked': async () => same(await whole('/chunked?n=1000000'), 1000000, 'the length'),
    'until-close': async () => same(await whole('/until-close'), 100000, 'the length'),
    'http-1.0-app': async () => same(await whole('/1.0'), 100000, 'the length'),
    'gzip': async () => same(await (await fetch('/gzip')).text(), 'evenkeel '.repeat(1000), 'the text'),
    '204': async () => same((await fetch('/204')).status, 204, 'the status'),
    '304-from-cache': async () => { // the second is asked for with If-None-Match; the browser makes a 200 of the 304
      await (await fetch('/304', { cache: 'reload' })).text();
      same(await (await fetch('/304', { cache: 'no-cache' })).text(), 'version', 'the text');
    },
    'cookies': async () => {
      await fetch('/cookie');
      const seen = (await (await fetch('/cookie')).json()).cookie;
      must(/a=1/.test(seen) && /b=2/.test(seen), `the cookies were ${seen}`);
    },
    'redirect': async () => same(new URL((await fetch('/redirect?absolute')).url).search, '?redirected', 'the query'),
    'redirect-307-post': async () => {
      const got = await (await fetch('/redirect?code=307', { method: 'POST', body: 'kept' })).json();
      same(`${got.method} ${got.bytes}`, 'POST 4', 'the request');
    },
    'trailers-body': async () => same((await (await fetch('/trailers')).arrayBuffer()).byteLength, 10000, 'the length'),
    'early-hints': async () => same((await (await fetch('/early-hints')).json()).early, true, 'early'),
    'slow-2s': async () => same((await (await fetch('/slow?ms=2000')).json()).slow, true, 'slow'),
    'concurrent-50': async () => {
      const urls = (await Promise.all(Array.from({ length: 50 }, async (_, i) => (await (await fetch(`/echo?i=${i}`)).json()).url)));
      urls.forEach((url, i) => same(url, `/echo?i=${i}`, 'the path'));
    },
    'abort-then-go-on': async () => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 200);
      const how = await fetch('/slow?ms=5000', { signal: stop.signal }).then(() => 'answered', (e) => e.name);
      same(how, 'AbortError', 'the ending');
      same((await sent('GET')).method, 'GET', 'the method');
    },
    'sse-with-resume': async () => { // five events, the end, and the browser comes back with Last-Event-ID
      const source = new EventSource('/sse');
      const got = [];
      await new Promise((go, no) => {
        source.onmessage = (e) => {
          got.push(`${e.lastEventId} ${e.data}`);
          if (got.length === 10) go();
        };
        source.onerror = () => { if (source.readyState === EventSource.CLOSED) no(new Error('closed for good')); };
        setTimeout(() => no(new Error(`only ${got.length} events in 10 s`)), 10000);
      }).finally(() => source.close());
      got.forEach((line, i) => same(line, `${i + 1} event ${i + 1}`, 'the event'));
    },
    'ws-text': async () => {
      const ws = await socket();
      same(ws.protocol, 'echo', 'the protocol');
      same(await asked(ws, 'Grüße'), 'Grüße', 'the echo');
      ws.close();
    },
    'ws-binary-70KB': async () => {
      const ws = await socket();
      const body = bytesOf(70000);
      same(await sha256(await asked(ws, body)), await sha256(body), 'the sum');
      ws.close();
    },
    'ws-hello-with-101': async () => {
      const ws = new WebSocket(`${location.origin.replace('http', 'ws')}/ws?hello`, ['echo']);
      same((await once(ws, 'message')).data, 'hello', 'the first message');
      ws.close();
    },
    'ws-ping': async () => {
      const ws = await socket();
      same(await asked(ws, 'ping me'), 'pong seen', 'the answer');
      ws.close();
    },
    'ws-close': async () => {
      const ws = await socket();
      ws.close(4000, 'done');
      const e = await once(ws, 'close');
      same(`${e.wasClean} ${e.code} ${e.reason}`, 'true 4000 done', 'the close');
    },
    'ws-close-by-app': async () => {
      const ws = await socket();
      ws.send('close me');
      const e = await once(ws, 'close');
      same(`${e.wasClean} ${e.code} ${e.reason}`, 'true 4001 as you said', 'the close');
    },
    'ws-dropped-by-app': async () => {
      const ws = await socket();
      const over = new Promise((go) => { ws.onclose = go; });
      ws.send('drop me');
      same((await over).code, 1006, 'the code');
    },
  };

  let failed = 0;
  const say = (line) => { document.querySelector('#result').textContent += `${line}\n`; };
  for (const [name, run] of Object.entries(all)) {
    let late;
    const bound = new Promise((_, no) => { late = setTimeout(() => no(new Error('no end in 15 s')), 15000); });
    try {
      await Promise.race([run(), bound]);
      say(`ok ${name}`);
    } catch (e) {
      failed++;
      say(`FAIL ${name}: ${e.message}`);
    }
    clearTimeout(late);
  }
  document.title = failed ? 'FAILED' : 'OK';
}

export const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>under way</title><link rel="icon" href="data:,"></head>
<body><pre id="result"></pre><script>(${cases})();</script></body></html>
`;
