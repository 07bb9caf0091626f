// Signs an access token for each person of the data set, as a sign-in would get one; the sessions are rows of the set.
// No password is hashed for it, and nothing of it is in the product: it reads the installation's own key.
//   node tokens.mjs KEYS_FOLDER PEOPLE > tokens.txt      line n is the token of person n
import { createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";

const [folder, people] = process.argv.slice(2);
const manifest = JSON.parse(readFileSync(`${folder}/keys.json`, "utf8"));
const entry = (manifest.keys ?? manifest).findLast((key) => !key.retired_at);
const key = createPrivateKey(readFileSync(`${folder}/signing-${entry.kid}.pem`));
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const id = (kind, n) => `01900000-${kind.toString(16).padStart(4, "0")}-7000-8000-${n.toString(16).padStart(12, "0")}`;
const now = Math.floor(Date.now() / 1000);
const header = part({ alg: entry.alg, kid: entry.kid, typ: "concord-access+jwt" });

for (let n = 1; n <= Number(people); n++) {
  const claims = part({
    iss: "concord", aud: "concord", sub: id(4, n), sid: id(5, n), jti: `bench-${n}`, iat: now - 5, exp: now + 23 * 3600,
  });
  const signature = sign(null, Buffer.from(`${header}.${claims}`), key).toString("base64url");
  process.stdout.write(`${header}.${claims}.${signature}\n`);
}
