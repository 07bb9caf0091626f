// What the checks need of the demo: an access token of one of its people, or the id of one of its objects.
// usage: node demo.mjs DEMO.JSON token USERNAME | node demo.mjs DEMO.JSON id NAME
import { readFileSync } from 'node:fs';

const [, , path, what, name] = process.argv;
if (!path || !['token', 'id'].includes(what) || !name) {
  console.error('usage: node demo.mjs DEMO.JSON token USERNAME | node demo.mjs DEMO.JSON id NAME');
  process.exit(2);
}
const demo = JSON.parse(readFileSync(path, 'utf8'));
if (what === 'id') {
  console.log(demo.ids[name]);
} else {
  const { username, password } = demo.accounts[name];
  const query = 'mutation ($input: SignInInput!) { signIn(input: $input) { tokens { accessToken } } }';
  const body = JSON.stringify({ query, variables: { input: { username, password } } });
  const response = await fetch(demo.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  console.log((await response.json()).data.signIn.tokens.accessToken);
}
