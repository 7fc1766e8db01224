// One peer: Fastify with node-postgres or postgres.js, on the same database and the same SQL as the service.
//   node peer.js PORT pg|postgres WORKERS POOL CONFIG.json
// Routes: /point/:id and /page?within= map rows to objects and serialise them by JSON Schema; /json/point/:id and
// /json/page?within= let PostgreSQL build the JSON and pass its text through. Parameters are validated; there is no
// authentication and no log, which favours the peer.
'use strict';

const cluster = require('node:cluster');
const fs = require('node:fs');
const path = require('node:path');

const [port, driver, workers, poolSize, configFile] = process.argv.slice(2);
const config = JSON.parse(fs.readFileSync(configFile, 'utf8'));
const load = (name) => require(require.resolve(name, { paths: [path.resolve(config.modules)] }));

function connect() {
  if (driver === 'pg') {
    const { Pool, types } = load('pg');
    for (const oid of [20, 1082, 1184]) types.setTypeParser(oid, (text) => text);
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

// "region.code": "19" becomes region: {code: "19"}; a nested object whose first cell is null is null.
function nest(row) {
  const object = {};
  for (const [name, value] of Object.entries(row)) {
    if (name[0] === '@') continue;
    const steps = name.split('.');
    let at = object;
    let skip = false;
    for (let i = 0; i < steps.length - 1; i++) {
      if (!(steps[i] in at)) at[steps[i]] = value === null ? null : {};
      at = at[steps[i]];
      if (at === null) { skip = true; break; }
    }
    if (!skip) at[steps[steps.length - 1]] = value;
  }
  return object;
}

async function serve() {
  const query = connect();
  const app = load('fastify')({ logger: false });
  const uuid = { type: 'object', properties: { id: { type: 'string', format: 'uuid' } }, required: ['id'] };
  const within = { type: 'object', properties: { within: { type: 'string', maxLength: 13, pattern: '^[1-9][0-9](\\.[0-9]{2})*$' } }, required: ['within'] };
  const item = config.item;
  const list = { type: 'object', properties: { items: { type: 'array', items: item }, next: { type: ['string', 'null'] } } };
  const cursor = (rows) => rows.length > config.limit
    ? Buffer.from(JSON.stringify(config.keys.map((key) => rows[config.limit - 1][key]))).toString('base64url') : null;

  app.get('/point/:id', { schema: { params: uuid, response: { 200: item } } }, async (request, reply) => {
    const rows = await query('point', config.point, [request.params.id]);
    if (!rows.length) return reply.code(404).send({});
    return nest(rows[0]);
  });
  app.get('/page', { schema: { querystring: within, response: { 200: list } } }, async (request) => {
    const rows = await query('page', config.page, [request.query.within, config.limit + 1]);
    return { items: rows.slice(0, config.limit).map(nest), next: cursor(rows) };
  });
  app.get('/json/point/:id', { schema: { params: uuid } }, async (request, reply) => {
    const rows = await query('jpoint', config.json_point, [request.params.id]);
    if (!rows.length) return reply.code(404).send({});
    return reply.type('application/json').send(rows[0].body);
  });
  app.get('/json/page', { schema: { querystring: within } }, async (request, reply) => {
    const rows = await query('jpage', config.json_page, [request.query.within, config.limit + 1]);
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
