// Subscribers of one alliance, and the transitions that they are told of.
//   node subscribe.mjs PORT PLAN.json      the plan: { alliance, token, subscribers, perSecond, requests: [{ token, body }] }
// Prints one JSON line: how many deliveries came and how late, counted from the moment a mutation was sent, and how many
// are missing or came twice.
import { readFileSync } from "node:fs";

const [port, path] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(path, "utf8"));
const sent = new Map();
const lags = [];
const received = Array.from({ length: plan.subscribers }, () => new Map());
const refused = [];

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function subscribe(number) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, "graphql-transport-ws");
    socket.onopen = () =>
      socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${plan.token}` } }));
    socket.onerror = () => reject(new Error(`socket ${number} failed`));
    socket.onclose = (event) => reject(new Error(`socket ${number} was closed: ${event.code} ${event.reason}`));
    socket.onmessage = (event) => {
      const now = performance.now();
      const message = JSON.parse(event.data);
      if (message.type === "connection_ack") {
        socket.send(JSON.stringify({
          id: "1", type: "subscribe",
          payload: { query: "subscription($a: ID!) { changes(allianceId: $a) { kind position subjectId } }", variables: { a: plan.alliance } },
        }));
        // There is no word for "subscribed"; a ping is answered after what came before it.
        socket.send(JSON.stringify({ type: "ping" }));
      } else if (message.type === "pong") {
        resolve(socket);
      } else if (message.type === "ping") {
        socket.send(JSON.stringify({ type: "pong" }));
      } else if (message.type === "next" && message.payload.data) {
        const subject = message.payload.data.changes.subjectId;
        const seen = received[number];
        seen.set(subject, (seen.get(subject) ?? 0) + 1);
        if (sent.has(subject)) lags.push(now - sent.get(subject));
      } else {
        reject(new Error(`socket ${number}: ${event.data}`));
      }
    };
  });
}

const sockets = [];
for (let at = 0; at < plan.subscribers; at += 50) {
  const some = Array.from({ length: Math.min(50, plan.subscribers - at) }, (_, n) => subscribe(at + n));
  sockets.push(...(await Promise.all(some)));
}
await wait(1000);

const pending = [];
for (const { token, body } of plan.requests) {
  const problem = JSON.parse(body).variables.problem;
  sent.set(problem, performance.now());
  pending.push(
    fetch(`http://127.0.0.1:${port}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body,
    })
      .then((answer) => answer.json())
      .then((answer) => { if (!answer.data?.acceptProblem?.problem) refused.push(problem); }),
  );
  await wait(1000 / plan.perSecond);
}
await Promise.all(pending);
const expected = plan.requests.length - refused.length;
for (let tries = 0; tries < 100 && lags.length < expected * plan.subscribers; tries++) await wait(100);

const accepted = [...sent.keys()].filter((problem) => !refused.includes(problem));
let missing = 0;
let twice = 0;
for (const seen of received) {
  for (const problem of accepted) {
    const times = seen.get(problem) ?? 0;
    if (times === 0) missing++;
    if (times > 1) twice++;
  }
}
lags.sort((a, b) => a - b);
const at = (share) => Number((lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? 0).toFixed(1));
console.log(JSON.stringify({
  subscribers: sockets.length, mutations: accepted.length, refused: refused.length, deliveries: lags.length, missing, twice,
  p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(1),
}));
process.exit(0);
