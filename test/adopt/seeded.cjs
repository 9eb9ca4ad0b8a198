// SPDX-License-Identifier: Apache-2.0
// seeded.cjs - for `node --require`: random bytes that are the same in each run, so that two shops with the same requests answer the
// same session ids and tokens. For tests only.
const crypto = require('node:crypto');

let n = 0;
crypto.randomBytes = (size) => {
  const pieces = [];
  for (let have = 0; have < size; have += 32) pieces.push(crypto.createHash('sha256').update(`seed ${n++}`).digest());
  return Buffer.concat(pieces).subarray(0, size);
};
