-- SPDX-License-Identifier: Apache-2.0
-- Everything that the shop knows is here, so that every instance can serve every request.
create table if not exists product (
  id int primary key,
  name text not null,
  about text not null,
  cents int not null check (cents > 0),
  stock int not null check (stock >= 0),
  category text not null
);
create index if not exists product_category on product (category);
create index if not exists product_name on product (lower(name) text_pattern_ops);

create table if not exists customer (
  id bigint generated always as identity primary key,
  email text not null unique,
  salt text not null,
  password text not null,
  created_at timestamptz not null default now()
);

create table if not exists session (
  id text primary key,
  customer_id bigint references customer,
  order_token text not null,
  seen_at timestamptz not null default now()
);

create table if not exists cart_line (
  session_id text not null references session on delete cascade,
  product_id int not null references product,
  quantity int not null check (quantity between 1 and 99),
  primary key (session_id, product_id)
);

create table if not exists purchase (
  id bigint generated always as identity primary key,
  customer_id bigint not null references customer,
  token text not null unique, -- the same checkout sent twice is one order
  cents bigint not null,
  created_at timestamptz not null default now()
);

create table if not exists purchase_line (
  purchase_id bigint not null references purchase,
  product_id int not null references product,
  quantity int not null,
  cents int not null,
  primary key (purchase_id, product_id)
);
create index if not exists purchase_line_product on purchase_line (product_id);
