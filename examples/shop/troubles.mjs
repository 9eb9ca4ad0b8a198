// SPDX-License-Identifier: Apache-2.0
// troubles.mjs - what `./break` injects. An instance listens for it on a unix socket only when started
// with --control PATH, so a shop in production cannot be troubled.
import fs from 'node:fs';
import http from 'node:http';

// slow_ms: every answer waits; fail: answers are 500; slow_recommendations_ms: only those wait.
export const troubles = { slow_ms: 0, fail: false, slow_recommendations_ms: 0 };

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Before a request is served; true when it was answered already.
export async function suffer(request, response) {
  if (troubles.slow_ms) await sleep(troubles.slow_ms);
  if (!troubles.fail) return false;
  response.writeHead(500, { 'Content-Type': 'text/plain' });
  response.end('out of order\n');
  return true;
}

export function listenForTroubles(path) {
  fs.rmSync(path, { force: true });
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    Object.assign(troubles, { slow_ms: 0, fail: false, slow_recommendations_ms: 0 }, JSON.parse(body || '{}'));
    response.end(JSON.stringify(troubles));
  });
  server.listen(path);
  return server;
}
