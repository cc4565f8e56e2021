// The trust root in all its versions, and the state of the log that a file stands on. What does not fit throws.
import { count, exactly, hex, keyring, moment, must, noteKey, opened, publicKey, read, same, unbase64 } from "./formats.mjs";

const FIRST = ["keys", "log", "pdf_signer", "root_keys", "schema", "threshold", "version"];
const LATER = ["issued", "keys", "log", "pdf_authority", "previous", "root_keys", "schema", "threshold"];
const LATER_TOO = ["time_authorities", "version", "witnesses"];

/** What a file stands on, from `/1` with its two fields and from `/2` with one. */
export function anchorOf(bundle) {
  if (bundle.format.endsWith("/1")) {
    return { trust_roots: [bundle.trust_root], checkpoint: bundle.checkpoint, stamps: [] };
  }
  exactly(bundle.anchor, ["checkpoint", "since", "stamps", "trust_roots"], "anchor");
  must(Array.isArray(bundle.anchor.stamps) && bundle.anchor.trust_roots.length > 0, "an anchor without a trust root");
  return bundle.anchor;
}

function shape(body) {
  const second = body.schema === "sanitrail/trust-root/2";
  must(second || body.schema === "sanitrail/trust-root/1", "a trust root of an unknown schema");
  exactly(body, second ? [...LATER, ...LATER_TOO] : FIRST, "trust root");
  const seal = second ? body.pdf_authority : body.pdf_signer;
  same("seal", hex(unbase64(seal.certificate)), seal.sha256);
  if (second) moment(body.issued);
  return second;
}

/** A key of the service keeps what was said of it; only its end may come, and come earlier. */
function keysFollow(now, before) {
  const newest = (role) => Math.max(...before.filter((key) => key.role === role).map((key) => key.from_index));
  for (const old of before) {
    const key = now.find((one) => one.spki === old.spki);
    must(key, `the key ${old.name} was left out`);
    same("a key of the service", ...[key, old].map((one) => `${one.role} ${one.name} ${one.from_index}`));
    const end = (one) => one.until_index ?? Infinity;
    must(end(key) <= end(old), `the key ${old.name} was made to count longer`);
  }
  for (const key of now.filter((one) => !before.some((old) => old.spki === one.spki))) {
    must(key.from_index >= newest(key.role), `the key ${key.name} reaches back`);
  }
}

/** All versions in order, each signed by enough root keys of its own and of the one before; one of them is the pinned one. */
export function trustRoots(envelopes, pin) {
  must(envelopes.some((envelope) => read(envelope, "trust-root").digest === pin), "no version is the pinned one");
  let before = null;
  for (const envelope of envelopes) {
    const { body, digest } = read(envelope, "trust-root");
    const second = shape(body);
    const roots = keyring(body.root_keys);
    const { signers } = opened(envelope, "trust-root", new Map([...(before?.roots ?? []), ...roots]));
    const enough = (keys, threshold) =>
      must(count(threshold) && threshold >= 1 && signers.filter((id) => keys.has(id)).length >= threshold, "too few signed");
    enough(roots, body.threshold);
    const jobs = keyring(body.keys.map((key) => key.spki));
    must([...jobs.keys()].every((id) => !roots.has(id) && !before?.roots.has(id)), "a root key has another job too");
    if (before === null) same("first version", body.version, 1);
    if (before === null) must(!second || body.previous === null, "the first version names one before it");
    if (before !== null) {
      must(second, "a later version of the first schema");
      enough(before.roots, before.body.threshold);
      same("version before", body.previous, before.digest);
      same("version", body.version, before.body.version + 1);
      same("log", body.log.origin, before.body.log.origin);
      must(!("issued" in before.body) || moment(before.body.issued) <= moment(body.issued), "proposed before the one before");
      must(before.body.keys.every((key) => !roots.has(publicKey(key.spki).id)), "a root key had another job before");
      keysFollow(body.keys, before.body.keys);
    }
    before = { body, digest, roots };
  }
  return before.body;
}

/** Exactly the lines of the log's keys, then of witnesses in their order, each at most once. */
export function logState(note, trust) {
  const { origin, vkeys } = trust.log;
  const lines = note.split("\n");
  must(vkeys.length > 0 && new Set(vkeys).size === vkeys.length, "the log has no keys, or one twice");
  must(lines.length >= vkeys.length + 5 && lines[3] === "" && lines.at(-1) === "", "not the log's signatures");
  must(/^(0|[1-9]\d{0,15})$/.test(lines[1]), "no size");
  const text = `${lines.slice(0, 3).join("\n")}\n`;
  const log = { text, origin: lines[0], size: Number(lines[1]), root: unbase64(lines[2]) };
  must(log.root.length === 32 && count(log.size), "no root hash, or no size");
  const own = vkeys.map(noteKey);
  own.forEach((key) => same("the log's name", key.name, origin, log.origin));
  const allowed = [...own, ...(trust.witnesses?.vkeys ?? []).map(noteKey)];
  let at = 0;
  for (const line of lines.slice(4, -1)) {
    const words = line.split(" ");
    must(words.length === 3 && words[0] === "\u2014", "no signature line");
    const signature = unbase64(words[2]);
    const fits = (key) => key.name === words[1] && key.id.equals(signature.subarray(0, 4));
    const found = allowed.findIndex((key, place) => place >= at && fits(key));
    must(found >= 0 && (found === at || at >= own.length), "a line that should not stand there");
    must(allowed[found].verifies(log, signature.subarray(4)), `bad signature of ${words[1]} on the checkpoint`);
    at = found + 1;
  }
  must(at >= own.length, "a key of the log did not sign");
  return log;
}
