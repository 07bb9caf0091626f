// A city's people check in, and its coverage boards are watched meanwhile.
//   node city.mjs PLAN.json     see `bench/city`, which writes the plan
// Everybody is sent until the server has answered for them: after a lost connection the same is sent again, without a key.
// Prints one JSON line: what was answered, how fast, and how far the boards were behind.
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const now = () => performance.now();
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What the boards showed: for each of them the moments and the sums of those present.
const boards = Array.from({ length: plan.subscribers }, (_, number) => ({
  ...plan.boards[number % plan.boards.length], rows: new Map(), shown: [], deltas: 0, again: 0,
}));
let finished = false;

function watch(board) {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${plan.port}/graphql`, "graphql-transport-ws");
    let acknowledged = false;
    socket.onopen = () =>
      socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${plan.token}` } }));
    let gone = false;
    // A connection that is refused tells of the error only.
    socket.onerror = socket.onclose = async () => {
      if (finished || gone) return;
      gone = true;
      if (acknowledged) board.again++;
      await wait(100);
      watch(board).then(resolve);
    };
    socket.onmessage = (event) => {
      const at = now();
      const message = JSON.parse(event.data);
      if (message.type === "connection_ack") {
        acknowledged = true;
        socket.send(JSON.stringify({
          id: "1", type: "subscribe",
          payload: { query: plan.subscription, variables: { mobilization: plan.mobilization, below: board.below, level: board.level } },
        }));
      } else if (message.type === "ping") {
        socket.send(JSON.stringify({ type: "pong" }));
      } else if (message.type === "next" && message.payload.data) {
        const delta = message.payload.data.mobilizationCoverage;
        if (delta.isWhole) board.rows.clear();
        for (const row of delta.rows) board.rows.set(row.region.id, row.present);
        let present = 0;
        for (const count of board.rows.values()) present += count;
        board.deltas++;
        board.shown.push([at, present]);
        resolve();
      } else if (message.type !== "pong" && message.type !== "complete") {
        process.stderr.write(`board: ${event.data}\n`);
        socket.close();
      }
    };
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: plan.clients });
function post(body) {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1", port: plan.port, path: "/graphql", method: "POST", agent, timeout: 30000,
      headers: {
        "content-type": "application/json", "content-length": Buffer.byteLength(body), authorization: `Bearer ${plan.token}`,
        accept: "application/graphql-response+json",
      },
    }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => {
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString()));
        } catch (error) {
          reject(error);
        }
      });
      answer.on("error", reject);
      answer.on("aborted", () => reject(new Error("the answer broke off")));
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.on("error", reject);
    sent.end(body);
  });
}

// People by name, as the server has answered for them.
const people = new Map();
const outcomes = {};
const latencies = [];
const acknowledged = [];
let resent = 0;
let failed = 0;
function told(item, sentAt, outcome, code) {
  const key = outcome === "REFUSED" ? `REFUSED ${code}` : outcome;
  outcomes[key] = (outcomes[key] ?? 0) + 1;
  if (outcome === "REFUSED") {
    if (item.counts) failed++;
    return;
  }
  if (!item.counts) failed++;
  if (people.has(item.person)) return;
  people.set(item.person, outcome);
  acknowledged.push({ sent: sentAt, at: now(), scopes: item.scopes });
}

// Codes that leave open whether it was taken, or say to come back.
const UNSURE = ["OUTCOME_UNKNOWN", "DEADLINE_EXCEEDED", "UNAVAILABLE"];
async function until(body, read, refused = (code) => { throw Object.assign(new Error(code), { final: true }); }) {
  for (let tries = 0; ; tries++) {
    const at = now();
    try {
      const answer = await post(body);
      const code = answer.errors?.[0]?.extensions?.code;
      if (!code) {
        latencies.push(now() - at);
        return read(answer.data, at);
      }
      if (!UNSURE.includes(code)) return refused(code, at);
    } catch (error) {
      if (error.final || tries > 300) throw error;
    }
    resent++;
    await wait(50);
  }
}

const jobs = [];
if (plan.way === "batch") {
  for (let at = 0; at < plan.items.length; at += plan.batch) {
    const items = plan.items.slice(at, at + plan.batch);
    const input = {
      mobilizationId: plan.mobilization,
      items: items.map(({ person, regionId, organizationId, at }) => ({ person, regionId, organizationId, at })),
    };
    const body = JSON.stringify({ query: plan.many, variables: { input } });
    jobs.push(() => until(body, (data, sentAt) => {
      const { results, userErrors } = data.checkInManyToMobilization;
      if (userErrors.length || results.length !== items.length) throw Object.assign(new Error(JSON.stringify(userErrors)), { final: true });
      results.forEach((result) => told(items[result.index], sentAt, result.outcome, result.code));
    }));
  }
} else {
  for (const item of plan.items) {
    const { person, regionId, organizationId, at } = item;
    const body = JSON.stringify({ query: plan.one, variables: { input: { mobilizationId: plan.mobilization, person, regionId, organizationId, at } } });
    jobs.push(() => until(body, (data, sentAt) => {
      const { outcome, userErrors } = data.checkInToMobilization;
      told(item, sentAt, userErrors.length ? "REFUSED" : outcome, userErrors[0]?.code);
    }, (code, sentAt) => told(item, sentAt, "REFUSED", code)));
  }
}

for (let at = 0; at < boards.length; at += 50) await Promise.all(boards.slice(at, at + 50).map(watch));
// Whoever drives the run may strike from now on.
process.stdout.write(`${JSON.stringify({ started: true })}\n`);
const began = now();
let next = 0;
await Promise.all(Array.from({ length: plan.clients }, async () => {
  while (next < jobs.length) await jobs[next++]();
}));
const seconds = (now() - began) / 1000;

const expected = (board) => acknowledged.filter((one) => board.scope === null || one.scopes.includes(board.scope));
const shows = (board) => board.shown.at(-1)?.[1];
for (let tries = 0; tries < 400 && boards.some((board) => shows(board) !== expected(board).length); tries++) await wait(50);
finished = true;
for (const board of boards) {
  if (shows(board) !== expected(board).length) {
    process.stderr.write(`board of ${board.scope ?? "the city"}: shows ${shows(board)} of ${expected(board).length}\n`);
  }
}

// The k-th person of a board's territory is on it once it shows k present.
function lags(moment) {
  const found = [];
  const times = new Map();
  for (const board of boards) {
    if (!times.has(board.scope)) times.set(board.scope, expected(board).map(moment).sort((a, b) => a - b));
    const of = times.get(board.scope);
    let seen = 0;
    for (const [at, present] of board.shown) {
      for (; seen < Math.min(present, of.length); seen++) found.push(Math.max(0, at - of[seen]));
    }
    if (seen < of.length) failed++;
  }
  return Float64Array.from(found).sort();
}
const share = (sorted, part) => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1));
const fromAnswer = lags((one) => one.at);
const fromSending = lags((one) => one.sent);
const answered = Float64Array.from(latencies).sort();
console.log(JSON.stringify({
  seconds, people: people.size, outcomes, resent, failed,
  answer_p50: share(answered, 0.5), answer_p99: share(answered, 0.99),
  boards: boards.length, deltas: boards.reduce((sum, board) => sum + board.deltas, 0), reconnected: boards.reduce((sum, board) => sum + board.again, 0),
  right: boards.every((board) => shows(board) === expected(board).length),
  lag_p50: share(fromAnswer, 0.5), lag_p99: share(fromAnswer, 0.99), lag_most: share(fromAnswer, 1),
  sent_lag_p99: share(fromSending, 0.99),
}));
process.exit(0);
