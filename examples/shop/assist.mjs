// SPDX-License-Identifier: Apache-2.0
// assist.mjs - tools for an assistant program: JSON-RPC 2.0 (tools/list, tools/call), one call or a batch.
// A call that is not understood is a JSON-RPC error; a tool that could not do its work answers isError.
const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }], isError: false });
const sorry = (why) => ({ content: [{ type: 'text', text: why }], isError: true });
const whole = (n) => Number.isInteger(n) && n > 0 && n < 2 ** 31;

const tools = {
  search_products: {
    description: 'Finds products by words of their name.',
    input: { words: 'string' },
    right: (a) => typeof a.words === 'string' && a.words.length <= 100,
    run: async (shop, session, a) => text(await shop.search(a.words, 10)),
  },
  get_product: {
    description: 'Everything about one product.',
    input: { id: 'integer' },
    right: (a) => whole(a.id),
    run: async (shop, session, a) => {
      const found = await shop.product(a.id);
      return found ? text(found) : sorry('there is no such product');
    },
  },
  add_to_cart: {
    description: 'Puts a product into the cart of this session.',
    input: { id: 'integer', quantity: 'integer' },
    right: (a) => whole(a.id) && whole(a.quantity) && a.quantity < 100,
    run: async (shop, session, a) => ((await shop.addToCart(session.id, a.id, a.quantity))
      ? text(await shop.cart(session.id)) : sorry('there is no such product')),
  },
  order_status: {
    description: 'What became of an order of this customer.',
    input: { id: 'integer' },
    right: (a) => whole(a.id),
    run: async (shop, session, a) => {
      const found = session.customer_id && await shop.order(session.customer_id, a.id);
      return found ? text({ id: found.id, status: 'packed' }) : sorry('there is no such order of yours');
    },
  },
};

const failure = (id, code, message) => ({ jsonrpc: '2.0', id: id ?? null, error: { code, message } });

function listTools() {
  return Object.entries(tools).map(([name, t]) => ({
    name,
    description: t.description,
    inputSchema: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(t.input).map(([k, type]) => [k, { type }])),
      required: Object.keys(t.input),
    },
  }));
}

async function answerOne(shop, session, call) {
  if (typeof call !== 'object' || call === null || call.jsonrpc !== '2.0' || typeof call.method !== 'string')
    return failure(call?.id, -32600, 'not a JSON-RPC 2.0 request');
  const { id, method, params } = call;
  if (method === 'tools/list') return { jsonrpc: '2.0', id, result: { tools: listTools() } };
  if (method !== 'tools/call') return failure(id, -32601, `there is no method ${method.slice(0, 50)}`);
  const tool = Object.hasOwn(tools, params?.name) ? tools[params.name] : undefined;
  if (!tool) return failure(id, -32602, 'there is no such tool');
  if (!tool.right(params.arguments ?? {})) return failure(id, -32602, `arguments of ${params.name}: ${JSON.stringify(tool.input)}`);
  return { jsonrpc: '2.0', id, result: await tool.run(shop, session, params.arguments) };
}

// The answer to a body; undefined when nothing needs one (notifications only).
export async function answer(shop, session, body) {
  let call;
  try {
    call = JSON.parse(body);
  } catch {
    return failure(null, -32700, 'the body is not JSON');
  }
  if (!Array.isArray(call)) {
    const one = await answerOne(shop, session, call);
    return call?.id === undefined && !one.error ? undefined : one;
  }
  if (call.length === 0 || call.length > 20) return failure(null, -32600, 'a batch has from 1 to 20 calls');
  const answers = [];
  for (const one of call) {
    const a = await answerOne(shop, session, one);
    if (one?.id !== undefined || a.error) answers.push(a);
  }
  return answers.length ? answers : undefined;
}
