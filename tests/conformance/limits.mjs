// Limits that belong to the running server, each at the limit and one beyond: costs as by default, a body within a second,
// three streams, two operations in a batch.
// usage: node limits.mjs URL DEMO.JSON, against a server started a moment ago with
//   CONCORD__HTTP__BODY_TIMEOUT_MS=1000 CONCORD__HTTP__STREAMS=3 CONCORD__HTTP__BATCH_OPERATIONS=2
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import WebSocket from 'ws';

const [, , address, demoPath] = process.argv;
if (!address || !demoPath) {
  console.error('usage: node limits.mjs URL DEMO.JSON');
  process.exit(2);
}
const url = new URL(address);
const demo = JSON.parse(readFileSync(demoPath, 'utf8'));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let failures = 0;
async function check(name, run) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('nothing after 15 s')), 15_000)));
  try {
    await Promise.race([run(), late]);
    console.log(`ok: ${name}`);
  } catch (error) {
    failures += 1;
    console.error(`FAILED: ${name}: ${error.message ?? error}`);
  } finally {
    clearTimeout(timer);
  }
}
function expect(actual, expected) {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
}

const send = (body, headers = {}) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });
async function outcome(body, headers) {
  const response = await send(body, headers);
  const answer = await response.json();
  return [response.status, answer.errors?.[0].extensions.code ?? 'data', answer];
}
/** Status and code, or `data`. */
const brief = async (body, headers) => (await outcome(body, headers)).slice(0, 2);
/** Ten selections cost one. */
const costing = (cost) => ({ query: `{ ${'__typename '.repeat(cost * 10)}}` });

/** Sends bytes, keeps the connection open and gives what comes until the server ends it. */
function raw(bytes) {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(Number(url.port), url.hostname, () => socket.write(bytes));
    socket.on('data', (data) => (received += data));
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.setTimeout(8_000, () => socket.destroy());
  });
}
const head = (method) => `${method} ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n`;
const codeIn = (text) => [Number(text.split(' ')[1]), /"code":"([A-Z_]+)"/.exec(text)?.[1]];

const { username, password } = demo.accounts.committee;
const [, , signedIn] = await outcome({
  query: 'mutation ($input: SignInInput!) { signIn(input: $input) { tokens { accessToken } } }',
  variables: { input: { username, password } },
});
const user = { authorization: `Bearer ${signedIn.data.signIn.tokens.accessToken}` };
const key = { authorization: `Bearer ${demo.dashboardKey}` };

await check('a page of 100, and not of 101', async () => {
  const page = (first) => brief({ query: `{ regions(first: ${first}) { totalCount } }` }, user);
  expect(await page(100), [200, 'data']);
  expect(await page(101), [200, 'PAGE_INVALID']);
});
await check('JSON nested 32 deep, and not 33', async () => {
  const nested = (levels) => `{"query":"{ __typename }","variables":{"a":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`;
  expect(await brief(nested(32), user), [200, 'data']);
  expect(await brief(nested(33), user), [400, 'JSON_TOO_DEEP']);
});
await check('a body of 1 MiB, and not one byte more', async () => {
  const padded = (length) => `{"query":"{ __typename }"${' '.repeat(length - 26)}}`;
  expect(padded(1 << 20).length, 1 << 20);
  expect(await brief(padded(1 << 20), user), [200, 'data']);
  expect(await brief(padded((1 << 20) + 1), user), [413, 'BODY_TOO_LARGE']);
});
await check('two operations in a batch, and not three', async () => {
  const batch = (size) => send(Array.from({ length: size }, () => ({ query: '{ __typename }' })), user);
  const two = await batch(2);
  expect([two.status, (await two.json()).map((answer) => answer.data.__typename)], [200, ['Query', 'Query']]);
  const three = await batch(3);
  expect([three.status, (await three.json()).errors[0].extensions.code], [400, 'BATCH_SIZE_INVALID']);
});
await check('a body that does not come in time', async () => {
  const begun = Date.now();
  const answer = await raw(`${head('POST')}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
  expect(codeIn(answer), [408, 'BODY_INCOMPLETE']);
  if (Date.now() - begun > 5_000) throw new Error(`only after ${Date.now() - begun} ms`);
});
await check('an upgrade without its key', async () => {
  const asked = `${head('GET').replace('close', 'Upgrade')}Upgrade: websocket\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`;
  expect(codeIn(await raw(asked)), [400, 'BAD_UPGRADE']);
});

await check('three streams, and not four', async () => {
  const open = () =>
    new Promise((resolve) => {
      const socket = new WebSocket(url.href.replace(/^http/, 'ws'), 'graphql-transport-ws');
      socket.on('open', () => {
        socket.send('{"type":"connection_init"}');
      });
      socket.on('message', () => resolve(socket));
      socket.on('close', (code) => resolve(code));
      socket.on('error', () => {});
    });
  const sockets = [await open(), await open(), await open()];
  expect(sockets.map((socket) => typeof socket), ['object', 'object', 'object']);
  expect(await open(), 1013);
  const response = await send({ query: '{ __typename }' }, { ...user, accept: 'text/event-stream' });
  expect([response.status, (await response.json()).errors[0].extensions.code], [503, 'OVERLOADED']);
  // Queries are no streams.
  expect(await brief({ query: '{ __typename }' }, user), [200, 'data']);
  sockets[0].close(1000);
  await sleep(300);
  const again = await open();
  expect(typeof again, 'object');
  for (const socket of [again, ...sockets]) socket.close(1000);
});

await check('buckets of 100, 1,000 and 5,000', async () => {
  const capacity = async (headers) => (await outcome(costing(1), headers))[2].extensions.cost.capacity;
  expect([await capacity(), await capacity(user), await capacity(key)], [100, 1000, 5000]);
});
await check('what no bucket holds is told so, without Retry-After', async () => {
  const response = await send(costing(101));
  expect([response.status === 429, response.headers.has('retry-after')], [false, false]);
  expect((await response.json()).errors[0].extensions.code, 'COST_TOO_HIGH');
});
await check('a bucket gives all that it holds, then 429 with Retry-After, and after that again', async () => {
  // Full again at 5 a second.
  await sleep(3_000);
  expect(await brief(costing(100)), [200, 'data']);
  const refused = await send(costing(10));
  const answer = await refused.json();
  const wait = Number(refused.headers.get('retry-after'));
  expect([refused.status, answer.errors[0].extensions.code, answer.errors[0].extensions.retryAfter], [429, 'THROTTLED', wait]);
  if (!(wait >= 1 && wait <= 2)) throw new Error(`Retry-After: ${wait}`);
  // Others pay from buckets of their own.
  expect(await brief(costing(10), user), [200, 'data']);
  expect(await brief(costing(10), key), [200, 'data']);
  await sleep(wait * 1_000 + 100);
  expect(await brief(costing(10)), [200, 'data']);
});
console.log(failures === 0 ? 'all checks passed' : `${failures} checks failed`);
process.exit(failures === 0 ? 0 : 1);
