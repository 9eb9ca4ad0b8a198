// SPDX-License-Identifier: Apache-2.0
// websocket.mjs - the WebSocket echo of the app (RFC 6455), with node:crypto alone.
// Always: what comes in goes out, in the same kind of message. Three texts are orders instead: `ping me` (we ping, and say
// `pong seen` when the pong comes), `close me` (we close first, with 4001) and `drop me` (the connection just ends).
import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CONTINUED = 0;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const MESSAGE_MAX = 16 * 1024 * 1024;
const open = new Set();

export const openSockets = () => open.size;

function frame(opcode, payload) {
  const length = payload.length;
  let head;
  if (length < 126) head = Buffer.from([0x80 | opcode, length]);
  else if (length < 65536) head = Buffer.from([0x80 | opcode, 126, length >> 8, length & 255]);
  else {
    head = Buffer.alloc(10);
    head.set([0x80 | opcode, 127]);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

// The first frame in `bytes`, or undefined while it is not complete.
function take(bytes) {
  if (bytes.length < 2) return undefined;
  if (!(bytes[1] & 0x80)) throw new Error('a client must mask');
  let length = bytes[1] & 127;
  let at = 2;
  if (length === 126) [length, at] = bytes.length < 4 ? [Infinity, 4] : [bytes.readUInt16BE(2), 4];
  else if (length === 127) [length, at] = bytes.length < 10 ? [Infinity, 10] : [Number(bytes.readBigUInt64BE(2)), 10];
  if (length !== Infinity && length > MESSAGE_MAX) throw new Error('too long');
  if (bytes.length < at + 4 + length) return undefined;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length));
  for (let i = 0; i < length; i++) payload[i] ^= mask[i & 3];
  return { last: (bytes[0] & 0x80) !== 0, opcode: bytes[0] & 15, payload, rest: bytes.subarray(at + 4 + length) };
}

class Echo {
  constructor(socket) {
    this.socket = socket;
    this.bytes = Buffer.alloc(0);
    this.parts = [];
    this.kind = TEXT;
  }

  send(opcode, payload) {
    if (this.socket.writable) this.socket.write(frame(opcode, Buffer.from(payload)));
  }

  received(bytes) {
    this.bytes = this.bytes.length ? Buffer.concat([this.bytes, bytes]) : bytes;
    for (let f = take(this.bytes); f; f = take(this.bytes)) {
      this.bytes = f.rest;
      this.act(f);
    }
  }

  act({ last, opcode, payload }) {
    if (opcode === PING) this.send(PONG, payload);
    else if (opcode === PONG) this.send(TEXT, 'pong seen');
    else if (opcode === CLOSE) {
      if (!this.closing) this.send(CLOSE, payload);
      this.socket.end();
    } else {
      if (opcode !== CONTINUED) this.kind = opcode;
      this.parts.push(payload);
      if (last) this.message(Buffer.concat(this.parts.splice(0)));
    }
  }

  message(payload) {
    const order = this.kind === TEXT ? payload.toString() : '';
    if (order === 'ping me') this.send(PING, 'are you there');
    else if (order === 'drop me') this.socket.destroy();
    else if (order === 'close me') {
      this.closing = true;
      this.send(CLOSE, Buffer.concat([Buffer.from([4001 >> 8, 4001 & 255]), Buffer.from('as you said')]));
    } else this.send(this.kind, payload);
  }
}

// Takes the connection over. With ?hello the first message leaves in one write with the 101.
export function accept(req, socket, head, query) {
  const key = createHash('sha1').update(req.headers['sec-websocket-key'] + GUID).digest('base64');
  const offered = (req.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  const answer = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${key}`,
    ...(offered.includes('echo') ? ['Sec-WebSocket-Protocol: echo'] : []), '', ''].join('\r\n');
  const echo = new Echo(socket);
  const received = (bytes) => {
    try {
      echo.received(bytes);
    } catch {
      socket.destroy();
    }
  };
  open.add(socket);
  socket.setNoDelay(true);
  socket.setTimeout(0);
  socket.on('error', () => {}).on('close', () => open.delete(socket)).on('data', received).on('end', () => socket.end());
  socket.write(query.has('hello') ? Buffer.concat([Buffer.from(answer), frame(TEXT, Buffer.from('hello'))]) : answer);
  if (head.length) received(head);
}
