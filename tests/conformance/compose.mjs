// The committed schema as a subgraph: it composes with another one that extends our organisations.
// usage: node compose.mjs SCHEMA
import { readFileSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

const [, , path] = process.argv;
if (!path) {
  console.error('usage: node compose.mjs SCHEMA');
  process.exit(2);
}

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external"])\n';
// What a gateway's owner adds to the text: the keys of the objects that other subgraphs refer to.
const keyed = readFileSync(path, 'utf8').replace(/^type (\w+) implements Node \{/gm, 'type $1 implements Node @key(fields: "id") {');
const keys = keyed.match(/@key/g)?.length ?? 0;
const services = [
  { name: 'concord', url: 'http://127.0.0.1/graphql', typeDefs: parse(link + keyed) },
  {
    name: 'ratings',
    url: 'http://127.0.0.1/ratings',
    typeDefs: parse(`${link}
      type Organization @key(fields: "id") { id: ID! rating: Int }
      type Query { bestRated: [Organization!]! }`),
  },
];
const { errors = [], hints = [], supergraphSdl } = composeServices(services);
for (const error of errors.slice(0, 20)) console.error(error.message);
for (const hint of hints) console.log(`hint: ${hint}`);
const joined = supergraphSdl?.includes('rating: Int @join__field(graph: RATINGS)') ?? false;
const good = keys > 0 && errors.length === 0 && joined;
console.log(good ? `composes as a subgraph, ${keys} objects with keys` : `FAILED: ${errors.length} errors, ${keys} keys`);
process.exit(good ? 0 : 1);
