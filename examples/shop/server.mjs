// SPDX-License-Identifier: Apache-2.0
// server.mjs - one instance of the shop: `node server.mjs --port N` (or --socket PATH), the database by
// the usual PG* variables. Holds nothing between two requests; stops in order on SIGTERM.
import http from 'node:http';
import { parseArgs } from 'node:util';
import { Shop } from './db.mjs';
import { route } from './routes.mjs';
import { listenForTroubles } from './troubles.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string' }, host: { type: 'string', default: '127.0.0.1' },
    socket: { type: 'string' }, control: { type: 'string' },
  },
});
if (!values.port && !values.socket) {
  console.error('usage: node server.mjs --port N | --socket PATH [--host ADDRESS] [--control PATH]');
  process.exit(2);
}

const shop = new Shop();
await shop.prepare();

const server = http.createServer((request, response) => {
  route(shop, request, response).catch((e) => {
    console.error(`${request.method} ${request.url}: ${e.message}`);
    if (response.headersSent) response.destroy();
    else response.writeHead(500, { 'Content-Type': 'text/plain' }).end('something went wrong here\n');
  });
});
// Longer than evenkeel keeps an idle connection (60 s), so that it is never us who closes first.
server.keepAliveTimeout = 75_000;
server.requestTimeout = 60_000;

server.listen(values.socket ?? { port: Number(values.port), host: values.host }, () => {
  console.log(`shop listens on ${values.socket ?? `${values.host}:${values.port}`}`);
});
const control = values.control ? listenForTroubles(values.control) : undefined;

function stop() {
  control?.close();
  server.close(async () => {
    await shop.close();
    process.exit(0);
  });
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), 5000).unref();
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
