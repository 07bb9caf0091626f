// Hostile requests against a running server, each with the CPU time that it took of the server.
// usage: node bombs.mjs URL PID (Linux: reads /proc/PID)
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { execFileSync } from 'node:child_process';
import WebSocket from 'ws';

const CPU_LIMIT_MS = 100;
const MEMORY_LIMIT_KB = 50 * 1024;
const [, , address, pid] = process.argv;
if (!address || !pid) {
  console.error('usage: node bombs.mjs URL PID');
  process.exit(2);
}
const url = new URL(address);
const tick = 1000 / Number(execFileSync('getconf', ['CLK_TCK']));

function cpu() {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tick;
}
function memory() {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const many = (count, item) => Array.from({ length: count }, (_, index) => item(index)).join(' ');

async function post(body) {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answer = await response.json();
  return `${response.status} ${answer.errors?.[0]?.extensions?.code ?? 'data'}`;
}
const query = (text) => () => post(JSON.stringify({ query: text }));
const chain = many(29, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`);

/** Sends bytes and waits until the server ends the connection; gives its status line. */
function raw(chunks, everyMs, patienceMs = 20_000) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port || 80), url.hostname);
    let received = '';
    const timer = setTimeout(() => reject(new Error('the server did not end it')), patienceMs);
    socket.on('data', (data) => (received += data));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(received.split('\r\n')[0] || 'closed');
    });
    socket.on('connect', async () => {
      for (const chunk of chunks) {
        if (socket.destroyed) return;
        socket.write(chunk);
        await sleep(everyMs);
      }
    });
  });
}

function endless(payload) {
  return () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url.href.replace(/^http/, 'ws'), 'graphql-transport-ws', { perMessageDeflate: false });
      const timer = setTimeout(() => reject(new Error('the server did not end it')), 20_000);
      socket.on('error', () => {});
      socket.on('close', (code) => {
        clearTimeout(timer);
        resolve(`closed ${code}`);
      });
      socket.on('open', async () => {
        while (socket.readyState === WebSocket.OPEN) {
          for (let i = 0; i < 64; i += 1) socket.send(payload, { fin: false });
          await sleep(1);
        }
      });
    });
}

const host = `Host: ${url.host}\r\n`;
const bombs = {
  'fragments 2^30': query(`{ ...F0 } ${chain} fragment F29 on Query { __typename }`),
  'fragments 2^30 of nothing': query(`{ ...F0 } ${chain} fragment F29 on Query { ...None }`),
  '20k aliases': query(`{ ${many(20_000, (i) => `a${i}: __typename`)} }`),
  '100k duplicate fields': query(`{ ${'a '.repeat(100_000)}}`),
  '10k directives': query(`{ __typename ${'@skip(if: true) '.repeat(10_000)}}`),
  'deep lists': query(`{ a(b: ${'['.repeat(30_000)}${']'.repeat(30_000)}) }`),
  'deep selections': query(`${'{a'.repeat(20_000)}${'}'.repeat(20_000)}`),
  '20k variables': () =>
    post(JSON.stringify({ query: '{ __typename }', variables: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`v${i}`, i])) })),
  'deep JSON': () => post('['.repeat(1_000_000)),
  'deep JSON variables': () => post(`{"query":"{ __typename }","variables":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`),
  'body of 10 MB': () => post(' '.repeat(10_000_000)).catch(() => 'cut off'),
  '5,000 selections that are allowed': query(`{ ${many(49, () => '...F')} ${many(100, () => '__typename')} } fragment F on Query { ${many(100, () => '__typename')} }`),
  '2,000 tokens that are allowed': query(`{ ${many(1_998, () => '__typename')} }`),
  'unknown fields': query(`{ ${many(1_990, (i) => `f${i}`)} }`),
  'conflicting arguments': query(`{ ${many(390, (i) => `__type(name: ${i})`).replace(/\)/g, ') { a }').slice(0, 60_000)} }`),
  'nested multipart': async () => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n--x--\r\n'.repeat(100),
    });
    return `${response.status} ${(await response.json()).errors[0].extensions.code}`;
  },
  'endless WebSocket continuation': endless('x'.repeat(512)),
  'endless empty WebSocket continuation': endless(''),
  'slow headers': () => raw(['GET /graphql HTTP/1.1\r\n', host, ...Array.from({ length: 40 }, (_, i) => `X-${i}: y\r\n`)], 500),
  'endless headers': () => raw(['GET /graphql HTTP/1.1\r\n', ...Array.from({ length: 400 }, (_, i) => `X-${i}: ${'y'.repeat(4_000)}\r\n`)], 0),
  'slow body': () =>
    raw([`POST /graphql HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`, ...Array.from({ length: 80 }, () => ' ')], 250),
};

let failures = 0;
await query('{ __typename }')();
// The server's background work goes on while a slow request is waited for; what it takes at rest is no cost of the request.
const [idleFrom, idleSince] = [cpu(), Date.now()];
await sleep(4_000);
const idle = (cpu() - idleFrom) / (Date.now() - idleSince);
console.log(`at rest: ${(idle * 1000).toFixed(0)} ms CPU a second`);
for (const [name, run] of Object.entries(bombs)) {
  await sleep(50);
  const [cpuBefore, memoryBefore, begun] = [cpu(), memory(), Date.now()];
  let outcome;
  try {
    outcome = await run();
  } catch (error) {
    failures += 1;
    outcome = `FAILED: ${error.message}`;
  }
  const rested = idle * (Date.now() - begun);
  const [spent, grown] = [cpu() - cpuBefore - rested, memory() - memoryBefore];
  const fits = spent < CPU_LIMIT_MS && grown < MEMORY_LIMIT_KB;
  if (!fits) failures += 1;
  console.log(`${fits ? 'ok' : 'FAILED'}: ${name}: ${outcome}, ${spent.toFixed(0)} ms CPU, ${(grown / 1024).toFixed(1)} MB`);
}
const alive = await query('{ __typename }')();
console.log(`afterwards: ${alive}`);
if (alive !== '200 data' && !alive.startsWith('429')) failures += 1;
process.exit(failures === 0 ? 0 : 1);
