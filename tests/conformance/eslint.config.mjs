// Lint of the committed schema: what graphql-eslint recommends, Relay's rules, and a description on everything.
// usage: cp ../../schema.graphql target/ && npx eslint target/schema.graphql
import graphql from '@graphql-eslint/eslint-plugin';

const rule = (name) => `@graphql-eslint/${name}`;

export default [
  {
    files: ['target/schema.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: 'target/schema.graphql' } } },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      // Connections give `nodes` beside `edges`, short lists are no connections, and long ones of values, such as what places need,
      // are connections of what has no identity.
      [rule('relay-edge-types')]: ['error', { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false }],
      // The schema tells objects, which have an id, from values, which have none: every other object is a Node.
      [rule('strict-id-in-types')]: 'off',
      [rule('require-description')]: [
        'error',
        {
          types: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
          DirectiveDefinition: true,
          // The arguments of GraphQL's own directives.
          ignoredSelectors: ['DirectiveDefinition InputValueDefinition'],
        },
      ],
      [rule('require-deprecation-date')]: 'error',
      [rule('input-name')]: 'error',
      [rule('no-scalar-result-type-on-mutation')]: 'error',
    },
  },
];
