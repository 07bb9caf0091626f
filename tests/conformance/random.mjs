// Random requests with a fixed seed: none may give a 5xx or an INTERNAL, or leave the server down.
// usage: node random.mjs URL DEMO.JSON COUNT [SEED]
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { buildSchema, getNamedType, isEnumType, isInputObjectType, isLeafType } from 'graphql';

const [, , address, demoPath, countText, seedText = '20261126'] = process.argv;
const count = Number(countText);
if (!address || !demoPath || !(count > 0)) {
  console.error('usage: node random.mjs URL DEMO.JSON COUNT [SEED]');
  process.exit(2);
}
const url = new URL(address);
const demo = JSON.parse(readFileSync(demoPath, 'utf8'));
const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const WORKERS = 8;
const PATIENCE_MS = 30_000;

let state = Number(seedText) >>> 0;
/** mulberry32: the same numbers for the same seed. */
function number() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit) => Math.floor(number() * limit);
const pick = (items) => items[below(items.length)];
const chance = (share) => number() < share;
const bytes = (length) => Buffer.from(Array.from({ length }, () => below(256)));
const text = (length) => String.fromCodePoint(...Array.from({ length }, () => pick([32 + below(95), below(0x300), 0x4e00 + below(2000), 0x1f600 + below(50)])));

async function signIn({ username, password }) {
  const query = 'mutation ($input: SignInInput!) { signIn(input: $input) { tokens { accessToken } } }';
  const body = JSON.stringify({ query, variables: { input: { username, password } } });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return (await answer.json()).data.signIn.tokens.accessToken;
}
const tokens = [demo.dashboardKey];
for (const who of ['committee', 'staff', 'admin', 'observer']) tokens.push(await signIn(demo.accounts[who]));

// The sessions of the tokens shall last, and the people of the demo keep their passwords.
const SPARED = new Set(['signOut', 'changePassword', 'disableAccount', 'resetPassword']);
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
  Object.values(type.getFields())
    .filter((field) => !SPARED.has(field.name))
    .map((field) => ({ kind: type.name.toLowerCase(), field })),
);

function garbage(depth = 0) {
  return pick([
    () => null,
    () => chance(0.5),
    () => below(1000) - 500,
    () => pick([1e308, -1e15, 2 ** 31, 2 ** 53, 0.1, -0]),
    () => text(below(20)),
    () => text(1).repeat(below(20_000)),
    () => pick(Object.values(demo.ids)),
    () => pick(['2026-11-26', '2026-02-30', '9999-12-31T23:59:60Z', '2026-13', '0000-00-00', '٢٠٢٦-١١-٢٦']),
    () => (depth > 3 ? [] : Array.from({ length: below(4) }, () => garbage(depth + 1))),
    () => (depth > 3 ? {} : Object.fromEntries(Array.from({ length: below(4) }, () => [text(below(6)), garbage(depth + 1)]))),
  ])();
}

const IDS = Object.entries({ ...demo.ids, region: demo.ids.community, slot: demo.ids.currentSlot, account: demo.accounts.observer.id });
const EVERY = IDS.map(([, id]) => id);

/** An id that fits the name of the argument, or that of the field for a mere `id`; sometimes any. */
function identifier(name) {
  const wanted = name.toLowerCase().replace(/ids?$/, '');
  const fitting = IDS.filter(([noun]) => wanted.endsWith(noun.toLowerCase())).map(([, id]) => id);
  return fitting.length > 0 && chance(0.8) ? pick(fitting) : pick([...EVERY, text(8)]);
}

/** Mostly a value of the type, sometimes anything. */
function value(type, name, depth = 0) {
  if (chance(0.04)) return garbage();
  const named = getNamedType(type);
  if (String(type).includes('[')) return Array.from({ length: below(4) }, () => value(named, name, depth + 1));
  if (isEnumType(named)) return pick(named.getValues()).name;
  if (isInputObjectType(named)) {
    const fields = Object.values(named.getFields()).filter((field) => chance(String(field.type).endsWith('!') ? 0.95 : 0.4));
    return depth > 4 ? {} : Object.fromEntries(fields.map((field) => [field.name, value(field.type, field.name, depth + 1)]));
  }
  switch (named.name) {
    case 'ID':
      return identifier(name);
    case 'Int':
      return pick([0, 1, 5, 20, 100, 101, -1, 2 ** 31 - 1, -(2 ** 31)]);
    case 'Float':
      return number() * 360 - 180;
    case 'Boolean':
      return chance(0.5);
    case 'Date':
      return `${1970 + below(100)}-${String(1 + below(12)).padStart(2, '0')}-${String(1 + below(31)).padStart(2, '0')}`;
    case 'DateTime':
      return `20${String(below(100)).padStart(2, '0')}-0${1 + below(9)}-1${below(10)}T0${below(10)}:30:00${pick(['Z', '+08:00', '-23:59'])}`;
    case 'YearMonth':
      return `${1970 + below(100)}-${String(1 + below(12)).padStart(2, '0')}`;
    default:
      return text(below(40));
  }
}

function selection(type, depth = 0) {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  const fields = named.getFields ? Object.values(named.getFields()).filter((field) => field.args.every((arg) => !String(arg.type).endsWith('!'))) : [];
  const chosen = fields.filter((field) => chance(0.3) && (depth < 3 || isLeafType(getNamedType(field.type))));
  return `{ __typename ${chosen.map((field) => `${field.name} ${selection(field.type, depth + 1)}`).join(' ')} }`;
}

function operation() {
  const { kind, field } = pick(roots);
  const given = field.args.filter((arg) => chance(String(arg.type).endsWith('!') ? 0.97 : 0.4));
  const declared = given.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const passed = given.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const query = `${kind} Any${declared && `(${declared})`} { ${field.name}${passed && `(${passed})`} ${selection(field.type)} }`;
  return { query, variables: Object.fromEntries(given.map((arg) => [arg.name, value(arg.type, arg.name === 'id' ? field.name : arg.name)])), operationName: chance(0.95) ? undefined : pick(['Any', 'None', '', null, 1]) };
}

/** Breaks a text in a few places. */
function broken(whole) {
  let parts = [...whole];
  for (let times = 1 + below(4); times > 0; times -= 1) {
    const at = below(parts.length + 1);
    pick([
      () => parts.splice(at, 1 + below(5)),
      () => parts.splice(at, 0, ...text(1 + below(4))),
      () => parts.splice(at, 0, pick(['{', '}', '(', ')', '"', '"""', '...', '$', '@', '\\u{110000}', '\\', '\0', '#', '[[[', '@include(if: null)', '-', '9'.repeat(40)])),
      () => (parts = parts.slice(0, at)),
      () => parts.splice(at, 0, ...parts.slice(at, at + below(30))),
    ])();
  }
  return parts.join('');
}

const TYPES = ['application/json', 'application/json; charset=utf-8', 'application/json;charset=latin1', 'text/plain', 'application/graphql', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/json, text/plain', ';', ''];
const ACCEPTS = ['*/*', 'application/json', 'application/graphql-response+json', 'text/event-stream', 'application/json;q=0.1, text/html', 'multipart/mixed', 'x/y;q=zzz', ',,;', ''];
const JWT = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.';

function headers() {
  const given = {};
  const maybe = (share, name, make) => {
    if (chance(share)) given[name] = Buffer.from(String(make()).replace(/[\0-\x1f\x7f]/g, ''), 'utf8').toString('latin1');
  };
  maybe(0.8, 'authorization', () => `Bearer ${pick(tokens)}`);
  maybe(0.05, 'authorization', () => pick([`Bearer ${JWT}`, `Bearer ${broken(pick(tokens))}`, 'Bearer', 'Basic eA==', `Bearer ${'x'.repeat(9000)}`, text(10), `bearer ${pick(tokens)}`]));
  maybe(0.12, 'accept', () => pick(ACCEPTS));
  maybe(0.2, 'accept-language', () => pick(['zh-CN', 'en', 'de;q=1, *;q=0', text(8), 'x'.repeat(500)]));
  maybe(0.04, 'idempotency-key', () => pick(['k1', 'k2', '', text(5), 'k'.repeat(300)]));
  maybe(0.02, 'content-encoding', () => pick(['gzip', 'br', 'identity', text(3)]));
  maybe(0.05, 'if-none-match', () => pick(['*', '"x"', text(6), `W/"${text(4)}"`]));
  maybe(0.05, 'x-request-id', () => text(30));
  maybe(0.05, 'x-forwarded-for', () => pick(['127.0.0.1', '::1', text(9), '1.2.3.4, , 5']));
  maybe(0.05, 'origin', () => pick(['null', 'https://example.org', text(6)]));
  maybe(0.03, 'expect', () => '100-continue');
  maybe(0.03, 'range', () => pick(['bytes=0-', 'bytes=9-1', text(5)]));
  maybe(0.05, 'x-concord-upload', () => pick(['1', '0', text(2)]));
  maybe(0.03, pick(['upgrade', 'x-odd', 'cookie', 'traceparent']), () => text(12));
  return given;
}

const json = (parts) => ({ method: 'POST', path: '/graphql', type: 'application/json', body: JSON.stringify(parts) });
const KINDS = [
  [45, () => json(operation())],
  [15, () => json({ ...operation(), query: broken(operation().query) })],
  [8, () => ({ ...json(operation()), body: broken(json(operation()).body) })],
  [6, () => json(chance(0.3) ? [operation(), garbage()] : { ...operation(), [pick(['query', 'variables', 'extensions', 'operationName'])]: garbage() })],
  [3, () => json({ extensions: { persistedQuery: pick([garbage(), { version: 1, sha256Hash: garbage() }, { version: garbage(), sha256Hash: 'a'.repeat(64) }]) } })],
  [8, () => {
    const { query, variables } = operation();
    const pairs = [['query', chance(0.8) ? query : broken(query)], ['variables', chance(0.8) ? JSON.stringify(variables) : text(5)]].filter(() => chance(0.95));
    const search = pairs.map(([name, given]) => `${name}=${encodeURIComponent(given)}`).join(pick(['&', '&', ';', '&&']));
    return { method: pick(['GET', 'GET', 'HEAD']), path: `/graphql?${search}` };
  }],
  [6, () => ({ method: pick(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'GET', 'PROPFIND']), path: '/graphql', type: pick(TYPES), body: chance(0.5) ? bytes(below(2000)) : json(operation()).body })],
  [6, () => ({
    method: pick(['GET', 'POST', 'HEAD', 'DELETE']),
    path: pick(['/files', '/files?name=a.png', '/files?name=%00%ff', '/files?name=a&name=b', '/schema.graphql', '/health/ready', '/health/live', '/graphiql', '/graphiql/x', `/files/${pick(Object.values(demo.ids))}`, '/files/..%2f..%2fetc%2fpasswd', demo.calendarFeed, '/feeds/x.ics', '/feeds/%00.ics', '/%ff%fe', '//', `/${encodeURIComponent(text(6))}`, `/${'a/'.repeat(500)}`]),
    type: pick(TYPES),
    body: chance(0.3) ? bytes(below(500)) : undefined,
  })],
  [3, () => ({ raw: Buffer.concat([Buffer.from(pick(['GET /graphql HTTP/1.1\r\n', 'POST /graphql HTTP/1.1\r\nContent-Length: -1\r\n', 'POST /graphql HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzz\r\n', 'GET /graphql HTTP/9.9\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ''])), bytes(below(200)), Buffer.from('\r\n\r\n')]) })],
];
const WEIGHT = KINDS.reduce((sum, [weight]) => sum + weight, 0);

function make() {
  let at = below(WEIGHT);
  const [, build] = KINDS.find(([weight]) => (at -= weight) < 0);
  const built = build();
  return built.raw ? built : { ...built, headers: headers() };
}

const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });
function send({ method, path, type, body, headers: given, raw }) {
  return new Promise((resolve, reject) => {
    if (raw) {
      let received = '';
      const socket = connect(Number(url.port), url.hostname, () => socket.end(raw));
      socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no end')));
      socket.on('data', (data) => (received += data.toString('latin1')));
      socket.on('error', (error) => (error.message === 'no end' ? reject(error) : resolve({ status: 0, body: '' })));
      socket.on('close', () => resolve({ status: Number(/^HTTP\/1\.[01] (\d+)/.exec(received)?.[1] ?? 0), body: received }));
      return;
    }
    const all = type === undefined ? given : { ...given, 'content-type': type };
    const asked = request({ agent, host: url.hostname, port: url.port, method, path, headers: all, timeout: PATIENCE_MS }, (response) => {
      const chunks = [];
      // A subscription goes on; what it began with is enough.
      const stream = response.headers['content-type']?.startsWith('text/event-stream');
      const done = () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() });
      if (stream) setTimeout(() => response.destroy(), 50);
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', done);
      response.on('close', done);
      response.on('error', done);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', (error) => (/reset|EPIPE|hang up/i.test(`${error.code} ${error.message}`) ? resolve({ status: 0, body: '' }) : reject(error)));
    asked.end(method === 'GET' || method === 'HEAD' || method === 'TRACE' ? undefined : body);
  });
}

const statuses = {};
const codes = {};
const failures = [];
let sent = 0;
async function work() {
  while (sent < count && failures.length < 20) {
    sent += 1;
    const asked = make();
    let answer;
    try {
      answer = await send(asked);
    } catch (error) {
      answer = { status: -1, body: error.message };
    }
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    const code = /"code":"([A-Z_]+)"/.exec(answer.body)?.[1] ?? (answer.body.startsWith('{"data"') ? 'data' : 'no code');
    codes[code] = (codes[code] ?? 0) + 1;
    if (answer.status < 0 || answer.status >= 500 || code === 'INTERNAL') failures.push({ answer: `${answer.status} ${answer.body.slice(0, 400)}`, asked });
  }
}
const begun = Date.now();
await Promise.all(Array.from({ length: WORKERS }, work));
const alive = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"query":"{ __typename }"}' });
if (alive.status !== 200) failures.push({ answer: `afterwards: ${alive.status}` });
for (const failure of failures) console.error(`FAILED: ${failure.answer}\n  ${JSON.stringify(failure.asked).slice(0, 900)}`);
const few = (counts) => Object.entries(counts).sort(([, a], [, b]) => b - a).map(([name, times]) => `${name} ${times}`).join(', ');
console.log(`${sent} requests in ${((Date.now() - begun) / 1000).toFixed(0)} s, ${failures.length} failures`);
console.log(`  statuses: ${few(statuses)}`);
console.log(`  codes: ${few(codes)}`);
// Requests that never get behind the door prove little.
if ((codes.data ?? 0) < count / 20) {
  console.error('FAILED: too few requests were answered with data');
  process.exit(1);
}
agent.destroy();
process.exit(failures.length === 0 ? 0 : 1);
