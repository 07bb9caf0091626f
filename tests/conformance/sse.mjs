// GraphQL over server-sent events, distinct connections, as its public client and raw requests see it.
// usage: node sse.mjs URL [SUBSCRIPTION [TOKEN]], where SUBSCRIPTION is one that gives something soon.
import { createClient } from 'graphql-sse';

const [, , url, subscription, token] = process.argv;
if (!url) {
  console.error('usage: node sse.mjs URL [SUBSCRIPTION [TOKEN]]');
  process.exit(2);
}

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
  if (actual !== expected) throw new Error(`expected ${expected}, got ${actual}`);
}

const json = { 'content-type': 'application/json' };
const stream = { accept: 'text/event-stream' };
const headers = token ? { authorization: `Bearer ${token}` } : {};
const connect = () => createClient({ url, headers, singleConnection: false, retryAttempts: 0, fetchFn: fetch });

await check('the client runs a query', async () => {
  const client = connect();
  const results = [];
  for await (const result of client.iterate({ query: '{ __typename }' })) results.push(result);
  expect(results.length, 1);
  expect(typeof results[0].data.__typename, 'string');
  client.dispose();
});
await check('a validation error has its code', async () => {
  const client = connect();
  const results = [];
  for await (const result of client.iterate({ query: '{ noSuchField }' })) results.push(result);
  expect(results[0].errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  client.dispose();
});
await check('POST streams next and complete', async () => {
  const body = JSON.stringify({ query: '{ __typename }' });
  const response = await fetch(url, { method: 'POST', headers: { ...json, ...stream }, body });
  expect(response.status, 200);
  expect(response.headers.get('content-type').startsWith('text/event-stream'), true);
  const text = await response.text();
  expect(/event: next\ndata: \{.*\}\n\n/.test(text), true);
  expect(/event: complete\ndata:\n\n$/.test(text), true);
});
await check('GET streams too', async () => {
  const response = await fetch(`${url}?query=${encodeURIComponent('{ __typename }')}`, { headers: stream });
  expect(response.status, 200);
  expect((await response.text()).includes('event: complete'), true);
});
await check('a mutation over GET is refused whatever is accepted', async () => {
  const response = await fetch(`${url}?query=${encodeURIComponent('mutation { __typename }')}`, { headers: stream });
  expect(response.status, 405);
  expect(response.headers.get('allow'), 'POST');
});
await check('limits hold as for single results', async () => {
  const aliases = Array.from({ length: 31 }, (_, i) => `a${i}: __typename`).join(' ');
  const body = JSON.stringify({ query: `{ ${aliases} }` });
  const response = await fetch(url, { method: 'POST', headers: { ...json, ...stream }, body });
  expect((await response.json()).errors[0].extensions.code, 'TOO_MANY_ALIASES');
});
if (subscription) {
  await check('the client follows a subscription', async () => {
    const client = connect();
    for await (const result of client.iterate({ query: subscription })) {
      if (result.errors) throw new Error(JSON.stringify(result.errors));
      break;
    }
    client.dispose();
  });
  await check('a subscription needs the event stream', async () => {
    const body = JSON.stringify({ query: subscription });
    const response = await fetch(url, { method: 'POST', headers: { ...json, ...headers, accept: 'application/json' }, body });
    expect(response.status, 406);
    expect((await response.json()).errors[0].extensions.code, 'STREAM_REQUIRED');
  });
} else {
  console.log('skipped: subscriptions (none given)');
}
console.log(failures === 0 ? 'all checks passed' : `${failures} checks failed`);
process.exit(failures === 0 ? 0 : 1);
