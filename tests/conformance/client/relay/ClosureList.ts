// The closure list as a Relay front end reads it: fragments of rows, a connection, one object again, a subscription.
import { graphql } from 'relay-runtime';

import type { ClosureListChangesSubscription } from '../../target/relay/ClosureListChangesSubscription.graphql.js';
import type { ClosureListQuery } from '../../target/relay/ClosureListQuery.graphql.js';
import type { ClosureList_row$data } from '../../target/relay/ClosureList_row.graphql.js';

export const row = graphql`
  fragment ClosureList_row on Problem {
    number
    title
    state
    dueOn
    version
    leadOrganization {
      name
    }
    availableTransitions {
      mutation
      available
    }
  }
`;

export const list = graphql`
  fragment ClosureList_list on Query
  @refetchable(queryName: "ClosureListPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    problems(filter: { allianceId: $allianceId, open: true }, first: $count, after: $cursor)
      @connection(key: "ClosureList_problems") {
      totalCount
      edges {
        node {
          id
          ...ClosureList_row
        }
      }
    }
  }
`;

// `node` finds any object again by its id.
export const one = graphql`
  fragment ClosureList_one on Problem @refetchable(queryName: "ClosureListOneQuery") {
    description
    ...ClosureList_row
  }
`;

export const query = graphql`
  query ClosureListQuery($allianceId: ID!) {
    alliance(id: $allianceId) {
      name
    }
    ...ClosureList_list
  }
`;

export const accept = graphql`
  mutation ClosureListAcceptMutation($input: MoveProblemInput!) {
    acceptProblem(input: $input) {
      problem {
        ...ClosureList_row
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;

export const changes = graphql`
  subscription ClosureListChangesSubscription($allianceId: ID!, $after: Int) {
    changes(allianceId: $allianceId, after: $after) {
      position
      kind
      subject {
        id
        ...ClosureList_row @alias(as: "problem")
      }
    }
  }
`;

/** The line that a list shows. */
export function line(problem: ClosureList_row$data): string {
  return `${problem.number} ${problem.title} ${problem.leadOrganization?.name ?? ''} ${problem.dueOn ?? ''}`;
}

export function variables(allianceId: string): ClosureListQuery['variables'] {
  return { allianceId };
}

export function reached(answer: ClosureListChangesSubscription['response']): number | null | undefined {
  return answer.changes.position;
}
