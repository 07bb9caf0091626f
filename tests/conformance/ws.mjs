// graphql-transport-ws as its public client and a raw socket see it.
// usage: node ws.mjs URL [SUBSCRIPTION [TOKEN]], where SUBSCRIPTION is one that gives something at once and goes on.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const PROTOCOL = 'graphql-transport-ws';
const MESSAGE_LIMIT = 64 * 1024;
const [, , address, subscription, token] = process.argv;
if (!address) {
  console.error('usage: node ws.mjs URL [SUBSCRIPTION [TOKEN]]');
  process.exit(2);
}
const url = address.replace(/^http/, 'ws');
const credential = token && { authorization: `Bearer ${token}` };

let failures = 0;
async function check(name, run) {
  try {
    await within(run(), 15_000);
    console.log(`ok: ${name}`);
  } catch (error) {
    failures += 1;
    console.error(`FAILED: ${name}: ${error.message ?? error}`);
  }
}

function within(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`nothing after ${ms} ms`)), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function expect(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${expected}, got ${actual}`);
}

class Raw {
  constructor(protocols = PROTOCOL) {
    this.socket = new WebSocket(url, protocols, { perMessageDeflate: false });
    this.messages = [];
    this.waiting = [];
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('error', reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => this.socket.on('close', (code) => resolve(code)));
    this.socket.on('message', (data) => {
      const message = JSON.parse(data);
      const waiter = this.waiting.shift();
      if (waiter) waiter(message);
      else this.messages.push(message);
    });
  }
  static async ready(payload) {
    const raw = new Raw();
    await raw.opened;
    raw.send({ type: 'connection_init', payload });
    expect((await raw.next()).type, 'connection_ack');
    return raw;
  }
  send(message) {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }
  subscribe(id, query) {
    this.send({ id, type: 'subscribe', payload: { query } });
  }
  next() {
    const message = this.messages.shift();
    return message ? Promise.resolve(message) : new Promise((resolve) => this.waiting.push(resolve));
  }
  async closesWith(code) {
    expect(await this.closed, code);
  }
  end() {
    this.socket.close(1000);
  }
}

await check('the client runs a query', async () => {
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
  const results = [];
  for await (const result of client.iterate({ query: '{ __typename }' })) results.push(result);
  expect(results.length, 1);
  expect(typeof results[0].data.__typename, 'string');
  await client.dispose();
});
await check('the client sees validation errors', async () => {
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
  let errors;
  try {
    for await (const _ of client.iterate({ query: '{ noSuchField }' }));
  } catch (thrown) {
    errors = thrown;
  }
  expect(Array.isArray(errors), true);
  expect(errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  expect(typeof errors[0].extensions.requestId, 'string');
  await client.dispose();
});
await check('4406 without the subprotocol', () => new Raw([]).closesWith(4406));
await check('4406 with a foreign subprotocol', async () => {
  // The client library gives up before the close frame when no protocol is chosen.
  const raw = new Raw('graphql-ws');
  await raw.opened.then(
    () => raw.closesWith(4406),
    (error) => expect(error.message, 'Server sent no subprotocol'),
  );
});
for (const [name, message] of [
  ['not JSON', 'nonsense'],
  ['not an object', '[]'],
  ['an unknown type', { type: 'nonsense' }],
  ['no type', {}],
  ['JSON nested 33 deep', '['.repeat(33) + ']'.repeat(33)],
]) {
  await check(`4400 for ${name}`, async () => {
    const raw = await Raw.ready();
    raw.send(message);
    await raw.closesWith(4400);
  });
}
for (const [name, message] of [
  ['a subscribe without id', { type: 'subscribe', payload: { query: '{ __typename }' } }],
  ['a subscribe without payload', { id: '1', type: 'subscribe' }],
  ['a query that is no text', { id: '1', type: 'subscribe', payload: { query: 1 } }],
  ['variables that are no object', { id: '1', type: 'subscribe', payload: { query: '{ __typename }', variables: [] } }],
]) {
  await check(`4400 for ${name}`, async () => {
    const raw = await Raw.ready();
    raw.send(message);
    await raw.closesWith(4400);
  });
}
await check('4400 for a binary message', async () => {
  const raw = await Raw.ready();
  raw.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
  await raw.closesWith(4400);
});
await check('4401 for a subscribe before the acknowledgement', async () => {
  const raw = new Raw();
  await raw.opened;
  raw.subscribe('1', '{ __typename }');
  await raw.closesWith(4401);
});
await check('4403 for a refused credential', async () => {
  const raw = new Raw();
  await raw.opened;
  raw.send({ type: 'connection_init', payload: { authorization: 'Bearer bad' } });
  await raw.closesWith(4403);
});
await check('4408 without connection_init', () => new Raw().closesWith(4408));
await check('4429 for a second connection_init', async () => {
  const raw = await Raw.ready();
  raw.send({ type: 'connection_init' });
  await raw.closesWith(4429);
});
await check('ping is answered with its payload', async () => {
  const raw = await Raw.ready();
  raw.send({ type: 'ping', payload: { a: 1 } });
  const pong = await raw.next();
  expect(pong.type, 'pong');
  expect(pong.payload.a, 1);
  raw.send({ type: 'pong' });
  raw.end();
});
await check('a message of exactly the limit is read', async () => {
  const raw = await Raw.ready();
  const frame = { type: 'ping', payload: { a: '' } };
  frame.payload.a = 'x'.repeat(MESSAGE_LIMIT - JSON.stringify(frame).length);
  raw.send(frame);
  expect((await raw.next()).type, 'pong');
  raw.end();
});
await check('1009 for one byte more', async () => {
  const raw = await Raw.ready();
  raw.send('x'.repeat(MESSAGE_LIMIT + 1));
  await raw.closesWith(1009);
});
await check('continuations are joined', async () => {
  const raw = await Raw.ready();
  raw.socket.send('{"type":', { fin: false });
  raw.socket.send('"ping"', { fin: false });
  raw.socket.send('}', { fin: true });
  expect((await raw.next()).type, 'pong');
  raw.end();
});
await check('1009 for endless continuations', async () => {
  const raw = await Raw.ready();
  for (let sent = 0; sent <= MESSAGE_LIMIT; sent += 1024) raw.socket.send('x'.repeat(1024), { fin: false });
  await raw.closesWith(1009);
});
await check('1009 for endless empty continuations', async () => {
  const raw = await Raw.ready();
  for (let sent = 0; sent <= 2048; sent += 1) raw.socket.send('', { fin: false });
  await raw.closesWith(1009);
});
await check('limits hold as over HTTP', async () => {
  const raw = await Raw.ready();
  raw.subscribe('1', `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: __typename`).join(' ')} }`);
  const error = await raw.next();
  expect(error.type, 'error');
  expect(error.id, '1');
  expect(error.payload[0].extensions.code, 'TOO_MANY_ALIASES');
  raw.end();
});
await check('an id is free again after its operation', async () => {
  const raw = await Raw.ready();
  for (let round = 0; round < 5; round += 1) {
    raw.subscribe('same', '{ __typename }');
    expect((await raw.next()).type, 'next');
    expect((await raw.next()).type, 'complete');
  }
  raw.end();
});
if (subscription) {
  await check('the client follows a subscription', async () => {
    const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: credential });
    for await (const result of client.iterate({ query: subscription })) {
      if (result.errors) throw new Error(JSON.stringify(result.errors));
      break;
    }
    await client.dispose();
  });
  await check('4409 for an id in use', async () => {
    const raw = await Raw.ready(credential);
    raw.subscribe('1', subscription);
    raw.subscribe('1', subscription);
    await raw.closesWith(4409);
  });
  await check('50 operations run at once, one more is refused', async () => {
    const raw = await Raw.ready(credential);
    for (let id = 1; id <= 51; id += 1) raw.subscribe(String(id), subscription);
    let message;
    do message = await raw.next();
    while (message.type === 'next');
    expect(message.type, 'error');
    expect(message.id, '51');
    expect(message.payload[0].extensions.code, 'TOO_MANY_SUBSCRIPTIONS');
    raw.end();
  });
  await check('complete ends an operation', async () => {
    const raw = await Raw.ready(credential);
    raw.subscribe('1', subscription);
    expect((await raw.next()).type, 'next');
    raw.send({ id: '1', type: 'complete' });
    raw.send({ type: 'ping' });
    let message;
    do message = await raw.next();
    while (message.type === 'next');
    expect(message.type, 'pong');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(raw.messages.length, 0);
    raw.end();
  });
} else {
  console.log('skipped: subscriptions (none given)');
}
console.log(failures === 0 ? 'all checks passed' : `${failures} checks failed`);
process.exit(failures === 0 ? 0 : 1);
