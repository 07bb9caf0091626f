// Persisted documents as Apollo Client and urql send them: the hash first, the text once, the hash from then on.
// usage: node persisted.mjs URL
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core/index.js';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries/index.js';
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';

const [, , url] = process.argv;
if (!url) {
  console.error('usage: node persisted.mjs URL');
  process.exit(2);
}

let failures = 0;
function expect(name, actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a === b) console.log(`ok: ${name}`);
  else {
    failures += 1;
    console.error(`FAILED: ${name}: expected ${b}, got ${a}`);
  }
}

/** A fetch that notes what each request carried: `hash`, or `text` when the document went along. */
function recorder() {
  const sent = [];
  const record = async (target, options = {}) => {
    const method = options.method ?? 'GET';
    const parameters = method === 'GET' ? new URL(target).searchParams : new Map(Object.entries(JSON.parse(options.body)));
    const hashed = JSON.stringify(parameters.get('extensions') ?? '').includes('sha256Hash');
    sent.push(`${method} ${hashed ? 'hash' : 'plain'}${parameters.get('query') ? ' text' : ''}`);
    return fetch(target, options);
  };
  return { sent, record };
}

const sha256 = async (text) => createHash('sha256').update(text).digest('hex');
// A document of its own for every client and run, so that none is known yet.
const fresh = (name) => `query ${name}${Date.now()} { viewer { __typename } __typename }`;

function apollo(get) {
  const { sent, record } = recorder();
  const link = ApolloLink.from([
    new PersistedQueryLink({ sha256, useGETForHashedQueries: get }),
    new HttpLink({ uri: url, fetch: record }),
  ]);
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const document = gql(fresh('Apollo'));
  return { sent, ask: async () => (await client.query({ query: document, fetchPolicy: 'no-cache' })).data.__typename };
}

function urql(get) {
  const { sent, record } = recorder();
  const client = new Client({
    url,
    fetch: record,
    preferGetMethod: false,
    exchanges: [cacheExchange, persistedExchange({ preferGetForPersistedQueries: get, generateHash: sha256 }), fetchExchange],
  });
  const document = fresh('Urql');
  const ask = async () => {
    const { data, error } = await client.query(document, {}, { requestPolicy: 'network-only' }).toPromise();
    if (error) throw error;
    return data.__typename;
  };
  return { sent, ask };
}

for (const [name, make] of Object.entries({ apollo, urql })) {
  for (const get of [false, true]) {
    const method = get ? 'GET' : 'POST';
    const { sent, ask } = make(get);
    try {
      expect(`${name} by ${method}: an answer`, [await ask(), await ask()], ['Query', 'Query']);
    } catch (error) {
      expect(`${name} by ${method}: an answer`, String(error), 'Query');
    }
    const registered = sent[1] === 'POST hash text' || sent[1] === `${method} hash text`;
    expect(`${name} by ${method}: hash, text, hash`, [sent.length, sent[0], registered, sent[2]], [3, `${method} hash`, true, `${method} hash`]);
  }
}
process.exit(failures === 0 ? 0 : 1);
