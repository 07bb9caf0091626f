// An example client, typed from the schema: it signs in, turns the pages of the closure list, registers a problem and sees
// its own change come over the subscription.
// usage: node town.js URL USERNAME PASSWORD ALLIANCE
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import WebSocket from 'ws';

import { graphql } from '../../target/typed/gql.js';
import type { ChangesSubscription, ErrorCode } from '../../target/typed/graphql.js';

const signIn = graphql(`
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      tokens {
        accessToken
      }
      userErrors {
        ...Refused
      }
    }
  }
  fragment Refused on UserError {
    code
    field
    message
  }
`);

const closureList = graphql(`
  query ClosureList($filter: ProblemFilter!, $first: Int!, $after: String) {
    problems(filter: $filter, first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        number
        title
        state
        dueOn
      }
    }
  }
`);

const register = graphql(`
  mutation Register($input: RegisterProblemInput!) {
    registerProblem(input: $input) {
      problem {
        id
        number
      }
      userErrors {
        ...Refused
      }
    }
  }
`);

const changes = graphql(`
  subscription Changes($allianceId: ID!) {
    changes(allianceId: $allianceId) {
      position
      kind
      subjectId
    }
  }
`);

const [, , url, username, password, allianceId] = process.argv;
if (!url || !username || !password || !allianceId) throw new Error('usage: node town.js URL USERNAME PASSWORD ALLIANCE');

let token: string | undefined;

async function ask<R, V>(document: TypedDocumentNode<R, V>, variables: V): Promise<R> {
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  if (token) headers['authorization'] = `Bearer ${token}`;
  const body = JSON.stringify({ query: print(document), variables });
  const answer = (await (await fetch(url as string, { method: 'POST', headers, body })).json()) as {
    data?: R;
    errors?: { message: string }[];
  };
  if (!answer.data || answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

function demand<T>(value: T | null | undefined, userErrors: { code: ErrorCode; message: string }[]): T {
  const [refused] = userErrors;
  if (refused || value == null) throw new Error(refused ? `${refused.code}: ${refused.message}` : 'nothing came back');
  return value;
}

const signedIn = (await ask(signIn, { input: { username, password } })).signIn;
token = demand(signedIn.tokens, signedIn.userErrors).accessToken;

const numbers = new Set<string>();
let after: string | null | undefined;
let total: number;
do {
  const page: Awaited<ReturnType<typeof askPage>> = await askPage(after);
  total = page.totalCount;
  for (const problem of page.nodes) numbers.add(problem.number);
  after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
} while (after);
if (numbers.size !== total || total < 2) throw new Error(`${numbers.size} of ${total} problems on the pages`);
console.log(`ok: ${total} problems, page by page`);

async function askPage(cursor: string | null | undefined) {
  return (await ask(closureList, { filter: { allianceId: allianceId as string }, first: 7, after: cursor ?? null })).problems;
}

const socket = createClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
});
const seen = new Map<string, ChangesSubscription['changes']['kind']>();
let noticed = () => {};
const stop = socket.subscribe<ChangesSubscription>(
  { query: print(changes), variables: { allianceId } },
  {
    next: ({ data, errors }) => {
      if (errors) throw new Error(JSON.stringify(errors));
      if (data) seen.set(data.changes.subjectId, data.changes.kind);
      noticed();
    },
    error: (error) => {
      throw error instanceof Error ? error : new Error(JSON.stringify(error));
    },
    complete: () => {},
  },
);
// What happens before the subscription stands is not in it.
await new Promise((resolve) => setTimeout(resolve, 500));
const registered = (
  await ask(register, {
    input: {
      allianceId,
      category: '路灯',
      channel: 'PATROL',
      description: '路口东侧的路灯不亮。',
      evidenceFileIds: [],
      severity: 'ORDINARY',
      title: '路灯不亮',
    },
  })
).registerProblem;
const problem = demand(registered.problem, registered.userErrors);
await new Promise<void>((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error('the change did not come within 10 s')), 10_000);
  noticed = () => {
    if (!seen.has(problem.id)) return;
    clearTimeout(timer);
    resolve();
  };
  noticed();
});
console.log(`ok: ${problem.number} came back as ${seen.get(problem.id)}`);
stop();
await socket.dispose();
