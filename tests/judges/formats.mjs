// What the second judge reads: canonical JSON, envelopes, log proofs, checkpoints. What does not fit throws.
import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { mlDsa44Verifies } from "./mldsa44.mjs";

export function must(condition, why) {
  if (!condition) throw new Error(why);
}

export function same(what, ...values) {
  must(values.every((value) => value !== undefined && value === values[0]), `${what}: ${values.join(" is not ")}`);
}

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
export const hex = (bytes) => sha256(bytes).toString("hex");
export const count = (value) => Number.isSafeInteger(value) && value >= 0;

// --- JSON that every reader reads alike, and its one form (RFC 8785 is defined by ECMAScript's own serialization)

export function canonical(value, depth = 0) {
  must(depth <= 32, "nested deeper than 32 levels");
  if (typeof value === "number") must(Number.isSafeInteger(value), "a number that is no safe integer");
  if (typeof value === "string") must(!/\p{Surrogate}/u.test(value), "half of a surrogate pair");
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(",")}]`;
  const member = (key) => `${canonical(key)}:${canonical(value[key], depth + 1)}`;
  return `{${Object.keys(value).sort().map(member).join(",")}}`;
}

export function parse(bytes) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const value = JSON.parse(text);
  const open = []; // for each open bracket: the keys of an object and whether one comes next, or null for a list
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/gs)) {
    const top = open.at(-1);
    if (token === "{") open.push({ keys: new Set(), keyNext: true });
    else if (token === "[") open.push(null);
    else if (token === "}" || token === "]") open.pop();
    else if (token === "," && top) top.keyNext = true;
    else if (token === ":" && top) top.keyNext = false;
    else if (token[0] === '"' && top?.keyNext) {
      const key = JSON.parse(token);
      must(!top.keys.has(key), `the key ${token} stands there twice`);
      top.keys.add(key);
    } else if (/^[-\d]/.test(token)) must(/^-?\d+$/.test(token), "a number that is no integer");
  }
  return [value, Buffer.from(canonical(value))];
}

export function unbase64(text) {
  const bytes = Buffer.from(text, "base64");
  must(bytes.toString("base64") === text, "not strict base64");
  return bytes;
}

export function exactly(value, fields, what) {
  must(value !== null && typeof value === "object" && !Array.isArray(value), `${what} is no object`);
  same(`fields of ${what}`, Object.keys(value).sort().join(), [...fields].sort().join());
}

export function moment(text) {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/.exec(text);
  must(found && new Date(`${found[1]}Z`).toISOString().startsWith(found[1]), `${text} is no moment`);
  return `${found[1]}.${(found[2] ?? "").padEnd(6, "0")}`; // so written, moments sort as text
}

// --- keys and envelopes

/** A key by its SubjectPublicKeyInfo; the algorithm follows from the key, never from the message. */
export function publicKey(spki) {
  const der = unbase64(spki);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const p256 = key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails.namedCurve === "prime256v1";
  must(p256 || key.asymmetricKeyType === "ed25519", "a key that is neither Ed25519 nor P-256");
  const again = key.export({ format: "der", type: "spki" });
  must(der.length === (p256 ? 91 : 44) && again.equals(der), "not the key's one form");
  return { id: hex(der), verifies: (message, sig) => verifySignature(p256 ? "sha256" : null, message, key, sig) };
}

export function keyring(spkis) {
  const ring = new Map(spkis.map(publicKey).map((key) => [key.id, key]));
  must(ring.size === spkis.length, "the same key twice");
  return ring;
}

/** What an envelope says, before it is known who says it. */
export function read(envelope, kind) {
  exactly(envelope, ["payload", "payloadType", "signatures"], kind);
  same("payloadType", envelope.payloadType, `application/vnd.sanitrail.${kind}.v1+json`);
  const payload = unbase64(envelope.payload);
  const [body] = parse(payload);
  must(Array.isArray(envelope.signatures) && envelope.signatures.length > 0, `nobody signed the ${kind}`);
  const signers = envelope.signatures.map((entry) => (exactly(entry, ["keyid", "sig"], "signature"), entry.keyid));
  must(new Set(signers).size === signers.length, `one key signed the ${kind} twice`);
  return { body, payload, signers, digest: hex(canonical(envelope)), payloadDigest: hex(payload) };
}

/** The same, once every signature is found good and by one of these keys (DSSE, pre-authentication encoding). */
export function opened(envelope, kind, keys) {
  const found = read(envelope, kind);
  const type = envelope.payloadType;
  const head = Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${found.payload.length} `);
  const message = Buffer.concat([head, found.payload]);
  for (const { keyid, sig } of envelope.signatures) {
    must(keys.has(keyid), `the ${kind} is signed by ${String(keyid).slice(0, 16)}, who may not`);
    must(keys.get(keyid).verifies(message, unbase64(sig)), `bad signature: ${kind}`);
  }
  return found;
}

// --- the log: RFC 6962, 2.1, followed down its own recursion

const node = (left, right) => sha256("\x01", left, right);

function split(size) {
  let left = 1;
  while (left * 2 < size) left *= 2;
  return left;
}

/** The hashes of a proof; the recursion takes them from the end, where those nearest to the root are. */
export function proofHashes(texts) {
  const hashes = texts.map(unbase64);
  must(hashes.length <= 64 && hashes.every((hash) => hash.length === 32), "a proof holds something else than hashes");
  const take = () => (must(hashes.length > 0, "a proof is too short"), hashes.pop());
  return { take, end: () => must(hashes.length === 0, "a proof is too long") };
}

function rootOver(leaf, index, size, proof) {
  if (size === 1) return leaf;
  const sibling = proof.take();
  const left = split(size);
  if (index < left) return node(rootOver(leaf, index, left, proof), sibling);
  return node(sibling, rootOver(leaf, index - left, size - left, proof));
}

/** The roots, then and now, that a consistency proof (2.1.2) leads to. */
export function rootsOver(oldRoot, old, size, proof, whole = true) {
  if (old === size) return Array(2).fill(whole ? oldRoot : proof.take());
  const sibling = proof.take();
  const left = split(size);
  if (old <= left) {
    const [then, now] = rootsOver(oldRoot, old, left, proof, whole);
    return [then, node(now, sibling)];
  }
  return rootsOver(oldRoot, old - left, size - left, proof, false).map((hash) => node(sibling, hash));
}

export function checkIncluded(item, kind, log) {
  exactly(item, ["envelope", "index", "proof"], kind);
  must(count(item.index) && item.index > 0 && item.index < log.size, `${kind}: no entry ${item.index}`);
  const entry = canonical({ kind, sha256: hex(canonical(item.envelope)), v: 1 });
  const proof = proofHashes(item.proof);
  const root = rootOver(sha256("\x00", entry), item.index, log.size, proof);
  proof.end();
  must(root.equals(log.root), `${kind} ${item.index} is not in the log`);
}

/** A log key, `<name>+<hash>+<type and key>`, and whether it signed (c2sp.org/signed-note, tlog-cosignature). */
export function noteKey(vkey) {
  const [name, given] = vkey.split("+", 2);
  const raw = unbase64(vkey.slice(name.length + given.length + 2));
  const id = sha256(`${name}\n`, raw).subarray(0, 4);
  same("hash of a log key", given, id.toString("hex"));
  const key = raw.subarray(1);
  if ([1, 4].includes(raw[0]) && key.length === 32) {
    const jwk = { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") };
    const ed25519 = createPublicKey({ key: jwk, format: "jwk" });
    const plain = (log, sig) => verifySignature(null, Buffer.from(log.text), ed25519, sig);
    const timed = (log, sig) => {
      const said = `cosignature/v1\ntime ${sig.readBigUInt64BE(0)}\n${log.text}`;
      return verifySignature(null, Buffer.from(said), ed25519, sig.subarray(8));
    };
    return { name, id, verifies: raw[0] === 1 ? plain : timed };
  }
  must(raw[0] === 6 && key.length === 1312, "a log key that is neither Ed25519 nor ML-DSA-44");
  const named = (text) => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
  const verifies = (log, sig) => {
    const range = Buffer.alloc(16); // from leaf 0 to the size of the log
    range.writeBigUInt64BE(BigInt(log.size), 8);
    const parts = [Buffer.from("subtree/v1\n\0"), named(name), sig.subarray(0, 8), named(log.origin), range, log.root];
    return mlDsa44Verifies(key, Buffer.concat(parts), sig.subarray(8));
  };
  return { name, id, verifies };
}
