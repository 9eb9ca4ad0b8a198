// SPDX-License-Identifier: Apache-2.0
// browser.mjs - opens the app's page in headless Chromium and says what the page found.
// Always: the DevTools protocol over a pipe (descriptors 3 and 4, messages end with a zero byte), so nothing but Node is needed.
//   node browser.mjs BASE [CA-FILE]
import { spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [base, ca] = process.argv.slice(2);
const BOUND_MS = 120000;
const profile = mkdtempSync(join(tmpdir(), 'evenkeel-browser-'));
const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--no-proxy-server',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--remote-debugging-pipe', `--user-data-dir=${profile}`];
if (ca) { // trusts just this key; all else about TLS is checked as ever
  const key = new X509Certificate(readFileSync(ca)).publicKey.export({ type: 'spki', format: 'der' });
  flags.push(`--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`);
}

const chromium = spawn('chromium', [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
const [, , errors, to, from] = chromium.stdio;
let said = '';
errors.on('data', (d) => { said = (said + d).slice(-2000); });
to.on('error', () => {});

const waiting = new Map();
let received = '';
from.setEncoding('utf8').on('data', (d) => {
  const messages = (received + d).split('\0');
  received = messages.pop();
  for (const { id, result, error } of messages.map((m) => JSON.parse(m))) {
    const [go, no] = waiting.get(id) ?? [];
    waiting.delete(id);
    if (error) no?.(new Error(error.message));
    else go?.(result);
  }
});

let ids = 0;
const ask = (method, params = {}, sessionId = undefined) => new Promise((go, no) => {
  waiting.set(++ids, [go, no]);
  to.write(`${JSON.stringify({ id: ids, method, params, sessionId })}\0`);
});
const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });

async function look() {
  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true });
  const { errorText } = await ask('Page.navigate', { url: `${base}/` }, sessionId);
  if (errorText) throw new Error(`the page did not open: ${errorText}`);
  const expression = 'JSON.stringify([document.title, document.querySelector("#result")?.textContent ?? ""])';
  for (let until = Date.now() + BOUND_MS, seen = ''; ; await pause(100)) {
    const [title, text] = JSON.parse((await ask('Runtime.evaluate', { expression }, sessionId)).result.value);
    process.stdout.write(text.slice(seen.length));
    seen = text;
    if (title === 'OK' || title === 'FAILED') return title === 'OK';
    if (Date.now() > until) throw new Error(`the page is not through after ${BOUND_MS / 1000} s (${title})`);
  }
}

const gone = new Promise((_, no) => {
  chromium.on('error', (e) => no(new Error(`chromium does not start: ${e.message}`)));
  chromium.on('exit', (code) => no(new Error(`chromium ended with ${code}: ${said}`)));
});
const bound = new Promise((_, no) => { setTimeout(() => no(new Error(`no end: ${said}`)), BOUND_MS + 15000).unref(); });
let right = false;
try {
  right = await Promise.race([look(), gone, bound]);
} catch (e) {
  console.log(`FAIL browser: ${e.message.replaceAll('\n', ' ')}`);
}
gone.catch(() => {});
chromium.removeAllListeners('exit');
if (chromium.exitCode === null) {
  const over = new Promise((go) => { chromium.once('exit', go); });
  ask('Browser.close').catch(() => {});
  await Promise.race([over, pause(3000)]);
  chromium.kill('SIGKILL');
}
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
process.exit(right ? 0 : 1);
