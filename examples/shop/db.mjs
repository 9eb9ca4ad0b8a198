// SPDX-License-Identifier: Apache-2.0
// db.mjs - one pool per instance, one function per question. All SQL is here and parametrised.
import fs from 'node:fs';
import pg from 'pg';

export const PRODUCTS = 500;
const CATEGORIES = ['tea', 'coffee', 'paper', 'ink', 'lamps', 'maps', 'knots', 'oil', 'salt', 'wool'];
const KINDS = ['Harbour', 'Lantern', 'Compass', 'Anchor', 'Gull', 'Mainsail', 'Tide', 'Keel', 'Beacon', 'Reef'];
const THINGS = ['box', 'tin', 'roll', 'jar', 'set', 'bundle', 'case', 'bag', 'pack', 'crate'];

export class Shop {
  constructor(options = {}) {
    this.pool = new pg.Pool({ max: 8, connectionTimeoutMillis: 3000, idleTimeoutMillis: 30000, ...options });
    this.pool.on('error', () => {}); // an idle connection was lost; the next query opens another
  }

  close() {
    return this.pool.end();
  }

  query(text, values) {
    return this.pool.query(text, values);
  }

  async transaction(work) {
    const client = await this.pool.connect();
    try {
      await client.query('begin');
      const result = await work(client);
      await client.query('commit');
      client.release();
      return result;
    } catch (e) {
      await client.query('rollback').catch(() => {});
      client.release(e.code ? undefined : e);
      throw e;
    }
  }

  // Tables and goods; safe to call from several instances at once and again.
  async prepare() {
    await this.transaction(async (c) => {
      await c.query('select pg_advisory_xact_lock(7301)');
      await c.query(fs.readFileSync(new URL('schema.sql', import.meta.url), 'utf8'));
      const { rows } = await c.query('select count(*)::int as n from product');
      if (rows[0].n > 0) return;
      for (let id = 1; id <= PRODUCTS; id++) {
        const category = CATEGORIES[id % CATEGORIES.length];
        const name = `${KINDS[(id * 7) % KINDS.length]} ${category} ${THINGS[(id * 3) % THINGS.length]} no. ${id}`;
        await c.query('insert into product values ($1, $2, $3, $4, $5, $6)',
          [id, name, `A ${category} for long days at sea, packed by hand.`, 199 + (id * 137) % 9000, 1000000, category]);
      }
    });
    await this.query('analyze product');
  }

  async healthy() {
    await this.query('select 1');
  }

  async popular(limit) {
    return (await this.query('select id, name, cents from product order by (id * 7919) % 500, id limit $1', [limit])).rows;
  }

  async search(words, limit) {
    const like = `%${words.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
    return (await this.query('select id, name, cents from product where lower(name) like $1 order by id limit $2', [like, limit])).rows;
  }

  async product(id) {
    return (await this.query('select * from product where id = $1', [id])).rows[0];
  }

  // What others bought; what lies near it when nobody has bought anything yet.
  async recommendations(productId, limit) {
    const { rows } = await this.query(
      `select p.id, p.name, p.cents from product p
       left join (select product_id, sum(quantity) as sold from purchase_line group by 1) s on s.product_id = p.id
       where p.category = (select category from product where id = $1) and p.id <> $1
       order by coalesce(s.sold, 0) desc, p.id limit $2`, [productId, limit]);
    return rows;
  }

  async addCustomer(email, salt, password) {
    const { rows } = await this.query(
      'insert into customer (email, salt, password) values ($1, $2, $3) on conflict (email) do nothing returning id',
      [email, salt, password]);
    return rows[0]?.id;
  }

  async customer(email) {
    return (await this.query('select * from customer where email = $1', [email])).rows[0];
  }

  async session(id) {
    return (await this.query('select s.id, s.customer_id, s.order_token, c.email from session s left join customer c on c.id = s.customer_id where s.id = $1', [id])).rows[0];
  }

  async addSession(id, orderToken) {
    await this.query('insert into session (id, order_token) values ($1, $2)', [id, orderToken]);
  }

  async signIn(sessionId, customerId) {
    await this.query('update session set customer_id = $2, seen_at = now() where id = $1', [sessionId, customerId]);
  }

  async cart(sessionId) {
    const { rows } = await this.query(
      'select p.id, p.name, p.cents, l.quantity from cart_line l join product p on p.id = l.product_id where l.session_id = $1 order by p.id', [sessionId]);
    return rows;
  }

  async addToCart(sessionId, productId, quantity) {
    const { rowCount } = await this.query(
      `insert into cart_line select $1, id, $3 from product where id = $2
       on conflict (session_id, product_id) do update set quantity = least(99, cart_line.quantity + excluded.quantity)`,
      [sessionId, productId, quantity]);
    return rowCount === 1;
  }

  async removeFromCart(sessionId, productId) {
    await this.query('delete from cart_line where session_id = $1 and product_id = $2', [sessionId, productId]);
  }

  // One transaction: stock, order, empty cart. Returns { id } , { empty: true } or { soldOut: name }.
  // The same token again returns the order that it made.
  async checkout(session, token, nextToken) {
    try {
      return await this.transaction(async (c) => {
        const before = await c.query('select id from purchase where token = $1 and customer_id = $2', [token, session.customer_id]);
        if (before.rows[0]) return { id: before.rows[0].id };
        // in order of product, so that two checkouts never wait for each other crosswise
        const { rows } = await c.query(
          'select p.id, p.name, p.cents, p.stock, l.quantity from cart_line l join product p on p.id = l.product_id where l.session_id = $1 order by p.id for update of p', [session.id]);
        if (rows.length === 0) return { empty: true };
        const short = rows.find((r) => r.stock < r.quantity);
        if (short) return { soldOut: short.name };
        const cents = rows.reduce((sum, r) => sum + r.cents * r.quantity, 0);
        const order = await c.query('insert into purchase (customer_id, token, cents) values ($1, $2, $3) returning id', [session.customer_id, token, cents]);
        for (const r of rows) {
          await c.query('update product set stock = stock - $2 where id = $1', [r.id, r.quantity]);
          await c.query('insert into purchase_line values ($1, $2, $3, $4)', [order.rows[0].id, r.id, r.quantity, r.cents]);
        }
        await c.query('delete from cart_line where session_id = $1', [session.id]);
        await c.query('update session set order_token = $2 where id = $1', [session.id, nextToken]);
        return { id: order.rows[0].id };
      });
    } catch (e) {
      if (e.code !== '23505') throw e;
      // the same checkout came twice at the same time: the other one made the order
      const { rows } = await this.query('select id from purchase where token = $1 and customer_id = $2', [token, session.customer_id]);
      if (!rows[0]) throw e;
      return { id: rows[0].id };
    }
  }

  async order(customerId, id) {
    const { rows } = await this.query('select id, cents, created_at from purchase where id = $1 and customer_id = $2', [id, customerId]);
    return rows[0];
  }

  // The whole catalogue, a page at a time, for the streamed export.
  async *catalogue() {
    for (let last = 0; ;) {
      const { rows } = await this.query('select id, name, category, cents from product where id > $1 order by id limit 100', [last]);
      if (rows.length === 0) return;
      yield rows;
      last = rows[rows.length - 1].id;
    }
  }
}
