// GraphQL over HTTP as the public audit suite sees it: every audit must be "ok".
import { serverAudits } from 'graphql-http';

const url = process.argv[2];
if (!url) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}

const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) results.push(await audit.fn());
const bad = results.filter((result) => result.status !== 'ok');
for (const result of bad) {
  console.error(`${result.status}: ${result.id} ${result.name}: ${result.reason}`);
  if (result.response?.bodyUsed === false) console.error(`  ${result.response.status} ${await result.response.text()}`);
}
console.log(`${results.length - bad.length} of ${results.length} audits ok`);
process.exit(bad.length === 0 ? 0 : 1);
