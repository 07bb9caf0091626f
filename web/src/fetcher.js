// How the page talks to Concord: POST for queries and mutations, `graphql-transport-ws` for subscriptions, both on
// the page's own origin. It does not store tokens: they stand in the header editor.
import { getOperationAST } from 'graphql';
import { createClient } from 'graphql-ws';

const endpoint = new URL('/graphql', window.location.href);

/** Headers of the editor without the empty ones, so that the untouched `Bearer ` placeholder means "anonymous". */
function credentials(headers = {}) {
  return Object.fromEntries(
    Object.entries(headers).filter(([, value]) => typeof value === 'string' && !/^(bearer)?\s*$/i.test(value)),
  );
}

async function post(params, headers) {
  const response = await fetch(endpoint, {
    method: 'POST',
    credentials: 'omit',
    headers: {
      Accept: 'application/graphql-response+json, application/json',
      'Content-Type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(params),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `HTTP ${response.status}: ${text || response.statusText}` }] };
  }
}

/** One socket per set of credentials; it closes by itself when its last subscription ends. */
let socket = { key: undefined, client: undefined };

function socketFor(headers) {
  const key = JSON.stringify(headers);
  if (socket.key !== key) {
    socket.client?.dispose();
    const url = new URL(endpoint);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    socket = { key, client: createClient({ url: url.href, connectionParams: headers, lazy: true }) };
  }
  return socket.client;
}

export function fetcher(params, { documentAST, headers } = {}) {
  const sent = credentials(headers);
  const operation = documentAST && getOperationAST(documentAST, params.operationName);
  return operation?.operation === 'subscription' ? socketFor(sent).iterate(params) : post(params, sent);
}
