// One peer: Fastify with node-postgres or postgres.js, on the same database and the same SQL as the service.
//   node peer.js PORT pg|postgres WORKERS POOL CONFIG.json
// Routes: /point/:id and /page?within= map rows to objects and serialise them by JSON Schema; /json/point/:id and
// /json/page?within= let PostgreSQL build the JSON and pass its text through. Parameters are validated; there is no
// authentication, no ETag, no request id and no log, which favours the peer.
'use strict';

const cluster = require('node:cluster');
const fs = require('node:fs');
const path = require('node:path');

const [port, driver, workers, poolSize, configFile] = process.argv.slice(2);
const config = JSON.parse(fs.readFileSync(configFile, 'utf8'));
const load = (name) => require(require.resolve(name, { paths: [path.resolve(config.modules)] }));

// Dates and times stay PostgreSQL's text: quicker than a Date and back.
function connect() {
  if (driver === 'pg') {
    const { Pool, types } = load('pg');
    for (const oid of [1082, 1184]) types.setTypeParser(oid, (text) => text);
    const pool = new Pool({
      host: config.socket, database: config.database, user: config.user, max: Number(poolSize),
      options: '-c plan_cache_mode=force_generic_plan -c TimeZone=UTC',
    });
    return (name, text, values) => pool.query({ name, text, values }).then((result) => result.rows);
  }
  const sql = load('postgres')({
    path: `${config.socket}/.s.PGSQL.5432`, database: config.database, user: config.user, max: Number(poolSize),
    connection: { plan_cache_mode: 'force_generic_plan', TimeZone: 'UTC' },
    types: { date: { to: 1082, from: [1082, 1114, 1184], serialize: (x) => x, parse: (x) => x } },
  });
  return (name, text, values) => sql.unsafe(text, values, { prepare: true });
}

// The mapping from a flat row to the nested object, made once, as one would write it by hand.
function mapper(tree) {
  const first = (node) => (typeof node === 'string' ? node : first(Object.values(node)[0]));
  const cell = (name) => `r[${JSON.stringify(name)}]`;
  const object = (node) => '{' + Object.entries(node).map(([name, child]) => JSON.stringify(name) + ': ' +
    (typeof child === 'string' ? cell(child) : `${cell(first(child))} === null ? null : ${object(child)}`)).join(', ') + '}';
  return new Function('r', `return ${object(tree)};`);
}

async function serve() {
  const query = connect();
  const app = load('fastify')({ logger: false });
  const uuid = { type: 'object', properties: { id: { type: 'string', format: 'uuid' } }, required: ['id'] };
  const within = {
    type: 'object', required: ['within'],
    properties: { within: { type: 'string', maxLength: 13, pattern: '^[1-9][0-9](\\.[0-9]{2})*$' } },
  };
  const list = {
    type: 'object',
    properties: { items: { type: 'array', items: config.page_item }, next: { type: ['string', 'null'] } },
  };
  const { limit, keys } = config;
  const one = mapper(config.point_tree);
  const many = mapper(config.page_tree);
  const cursor = (rows) => (rows.length > limit
    ? Buffer.from(keys.map((key) => rows[limit - 1][key]).join(',')).toString('base64') : null);

  app.get('/point/:id', { schema: { params: uuid, response: { 200: config.point_item } } }, async (request, reply) => {
    const rows = await query('point', config.point, [request.params.id]);
    return rows.length ? one(rows[0]) : reply.code(404).send({});
  });
  app.get('/page', { schema: { querystring: within, response: { 200: list } } }, async (request) => {
    const rows = await query('page', config.page, [request.query.within, limit + 1]);
    return { items: rows.slice(0, limit).map(many), next: cursor(rows) };
  });
  app.get('/json/point/:id', { schema: { params: uuid } }, async (request, reply) => {
    const rows = await query('json_point', config.json_point, [request.params.id]);
    if (!rows.length) return reply.code(404).send({});
    return reply.type('application/json').send(rows[0].body);
  });
  app.get('/json/page', { schema: { querystring: within } }, async (request, reply) => {
    const rows = await query('json_page', config.json_page, [request.query.within, limit + 1]);
    return reply.type('application/json').send(rows[0].body);
  });
  app.get('/hello', async () => ({ status: 'live' }));
  await app.listen({ port: Number(port), host: '127.0.0.1' });
}

if (cluster.isPrimary && Number(workers) > 1) {
  for (let i = 0; i < Number(workers); i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
    process.exit(0);
  });
} else {
  serve();
}
