// A second judge of destruction bundles, in another language and without a line of ours: plain Node 18 or newer, no
// packages. Written from the formats (docs/auditors.md, RFC 6962, RFC 8785, DSSE v1, C2SP signed notes, FIPS 204), not from
// the verifier.
//
//   node verify.mjs BUNDLE.json PIN       judges one file; exit 0 only when every check passed
//   node verify.mjs --batch FOLDER        judges every X.json of a folder under the pin in X.pin, or else in the file "pin"
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { canonical, checkIncluded, count, exactly, hex, keyring, moment, must } from "./formats.mjs";
import { opened, parse, proofHashes, publicKey, read, rootsOver, same, unbase64 } from "./formats.mjs";
import { anchorOf, logState, trustRoots } from "./trust.mjs";

const NOT_CHECKED = [
  "sanitization: whether what the record states amounts to a sanitized medium, and the verdict a person saw follows",
  "drive-words: whether decided classifications and a drive's own pattern are those of the plan",
  "certificate-words: what the certificate says beyond the statements it names",
  "fields: unknown fields of a signed statement are read over",
  "pdf: the seal, and the words on the pages",
  "time: time-stamps on the checkpoint, the hosts' clocks; keys revoked after the checkpoint; whether the log shows everybody the same history",
];

// --- the checks, in the order of trust: each adds to `facts` what the later ones rest on

const PARTS = ["acceptance", "approvals", "certificate", "consistency", "earlier_rosters", "format"];
PARTS.push("key_events", "order", "record", "roster", "validation");

const CHECKS = {
  form(facts) {
    const [bundle, form] = parse(facts.bytes);
    must(form.equals(facts.bytes), "not its own canonical form (RFC 8785)");
    const first = bundle.format === "sanitrail/destruction-bundle/1";
    must(first || bundle.format === "sanitrail/destruction-bundle/2", `format ${bundle.format}`);
    exactly(bundle, [...PARTS, ...(first ? ["checkpoint", "trust_root"] : ["anchor"])], "bundle");
    facts.bundle = bundle;
    facts.anchor = anchorOf(bundle);
    facts.rosters = [...bundle.earlier_rosters, bundle.roster];
  },

  "trust-root"(facts) {
    facts.trust = trustRoots(facts.anchor.trust_roots, facts.pin);
    facts.service = (role, at) => {
      const counts = (key) => key.from_index <= at && (key.until_index === null || at < key.until_index);
      return keyring(facts.trust.keys.filter((key) => key.role === role && counts(key)).map((key) => key.spki));
    };
  },

  checkpoint(facts) {
    facts.log = logState(facts.anchor.checkpoint, facts.trust);
  },

  inclusion({ bundle, log, rosters }) {
    for (const event of bundle.key_events) checkIncluded(event, "key-event", log);
    for (const roster of rosters) checkIncluded(roster, "roster", log);
    for (const kind of ["acceptance", "validation", "certificate"]) checkIncluded(bundle[kind], kind, log);
  },

  sequence({ bundle, rosters }) {
    const rising = (items) => items.every((item, at) => at === 0 || items[at - 1].index < item.index);
    must(rising(bundle.key_events), "the key events are not in the order of the log");
    must(rising([...rosters, bundle.acceptance, bundle.validation, bundle.certificate]), "not in the order of the log");
  },

  keys(facts) {
    const known = new Map();
    for (const { envelope, index } of facts.bundle.key_events) {
      const { body } = opened(envelope, "key-event", facts.service("enrolment", index));
      const key = publicKey(body.spki);
      const before = known.get(key.id);
      moment(body.time);
      if (body.schema === "sanitrail/key-event/2") {
        const ending = body.event === "rotate" ? known.get(body.replaces) : before;
        must(ending && ending.role === body.role && ending.ref === body.ref, "a key is changed, but not as it was enrolled");
        must(!ending.revoked && count(body.until_index) && body.until_index >= index, "a key ends before its event");
        must((body.event === "rotate") === !before && (body.event === "expire") === (body.replaces === null), "no such change");
        ending.until = Math.min(ending.until, body.until_index);
        if (!before) known.set(key.id, { key, role: body.role, ref: body.ref, since: index, until: Infinity });
      } else if (body.event === "enrol") {
        must(!before && body.valid_below === null, "a key is enrolled twice, or within limits");
        known.set(key.id, { key, role: body.role, ref: body.ref, since: index, until: Infinity });
      } else {
        const until = body.valid_below ?? index;
        must(body.event === "revoke" && before, "a key is revoked that nobody enrolled");
        must(before.role === body.role && before.ref === body.ref, "a key is revoked, but not as it was enrolled");
        must(count(until) && until <= index, "a key is revoked for later");
        before.until = Math.min(before.until, until);
        before.revoked = true;
      }
    }
    // Time is the place in the log: what counts is where the record was accepted.
    facts.signedBy = (envelope, kind, role) => {
      const { signers } = read(envelope, kind);
      const holder = known.get(signers[0]);
      must(signers.length === 1 && holder?.role === role, `the ${kind} is not signed by one enrolled ${role}`);
      const at = facts.bundle.acceptance.index;
      must(holder.since < at && at < holder.until, `the key of ${holder.ref} does not count at entry ${at}`);
      return { ...opened(envelope, kind, new Map([[signers[0], holder.key]])), by: holder.ref, keyId: signers[0] };
    };
  },

  rosters(facts) {
    let before = null;
    for (const { envelope } of facts.rosters) {
      const { body, payloadDigest } = read(envelope, "roster");
      const keys = keyring(body.people.map((person) => person.public_key));
      must(body.people.every((person) => publicKey(person.public_key).id === person.key_id), "a key id is not the key's");
      same("people of the roster", new Set(body.people.map((person) => person.ref)).size, body.people.length);
      must(count(body.quorum) && body.quorum >= 1 && body.quorum <= keys.size, "a quorum that makes no sense");
      must(count(body.minimum_approvals) && body.minimum_approvals >= 1, "a minimum that makes no sense");
      same("version of the roster", body.version, before === null ? 1 : before.body.version + 1);
      same("roster before", body.previous, before === null ? null : before.payloadDigest);
      const { signers } = opened(envelope, "roster", before?.keys ?? keys);
      must(signers.length >= (before?.body ?? body).quorum, "signed by fewer than the quorum");
      before = { body, keys, payloadDigest };
    }
    facts.roster = before.body;
  },

  order(facts) {
    const { order } = facts.bundle;
    const { after } = read(order, "order").body;
    must(count(after.size), "no place in the log");
    facts.order = opened(order, "order", facts.service("acceptance", after.size));
    const { body } = facts.order;
    must(moment(body.created) <= moment(body.expires), "expired before it was made");
    same("plan", body.plan_sha256, hex(canonical(body.plan)));
  },

  approvals(facts) {
    const { body: order, payloadDigest } = facts.order;
    const people = new Set();
    for (const envelope of facts.bundle.approvals) {
      const { body, by, keyId } = facts.signedBy(envelope, "approval", "approver");
      same("approver", body.approver, by);
      const listed = facts.roster.people.find((person) => person.ref === by && person.key_id === keyId);
      must(listed?.roles.includes("approver"), `${by} is not on the roster`);
      must(!people.has(by) && by !== order.requested_by, `${by} approves twice, or what they asked for`);
      same("decision", body.decision, "approve");
      same("order", body.order_id, order.id);
      same("order's digest", body.order_sha256, payloadDigest);
      must(moment(body.time) <= moment(order.expires), `${by} approved too late`);
      people.add(by);
    }
    const needed = Math.max(order.approvals_required, facts.roster.minimum_approvals, 1);
    must(people.size >= needed, `${people.size} people approved, not ${needed}`);
  },

  record(facts) {
    facts.record = facts.signedBy(facts.bundle.record, "sanitization-record", "agent");
    const { body: record, keyId } = facts.record;
    const { body: order, payloadDigest } = facts.order;
    const { host, method, policy, run } = record;
    same("schema", record.schema, "sanitrail/sanitization-record/1");
    same("agent", keyId, host.agent_key, order.agent_key);
    same("order", record.order.id, order.id);
    same("order's digest", record.order.sha256, payloadDigest);
    same("nonce", record.order.nonce, order.nonce);
    same("log", record.order.after_origin, order.after.origin);
    same("place in the log", record.order.after_size, order.after.size);
    same("root of the log", record.order.after_root, order.after.root);
    const approvals = facts.bundle.approvals.map((envelope) => hex(canonical(envelope)));
    same("approvals", [...record.order.approvals].sort().join(), [...approvals].sort().join());
    same("medium", record.device.fingerprint, order.device);
    same("plan", method.plan_sha256, order.plan_sha256);
    same("method", method.requested, order.plan.method);
    if (order.plan.technique !== "auto") {
      same("technique", method.technique, order.plan.technique);
      same("patterns", method.pattern_set.split(" (as implemented by ")[0], order.plan.pattern_set);
    }
    same("policy", policy.id, order.policy_id);
    same("policy's digest", policy.sha256, order.policy_sha256);
    same("required method", policy.required_method, order.required_method);
    same("required verification", policy.required_verification, order.required_verification);
    const rank = (kind) => ["none", "representative", "full"].indexOf(kind);
    must(rank(record.verification.kind) >= rank(order.plan.verification), "verified less than ordered");
    same("requester", record.operator_ref, order.requested_by);
    const late = run.clock_synchronized && moment(run.started) > moment(order.expires);
    must(!late, "begun after the order had expired");
  },

  acceptance(facts) {
    const { envelope, index } = facts.bundle.acceptance;
    facts.acceptance = opened(envelope, "acceptance", facts.service("acceptance", index));
    const { body } = facts.acceptance;
    same("order", body.order_sha256, facts.order.digest);
    same("record", body.record_sha256, facts.record.digest);
    same("approvals", body.approvals.join(), facts.bundle.approvals.map((one) => hex(canonical(one))).join());
    same("medium", body.device.fingerprint, facts.record.body.device.fingerprint);
    same("host", body.host.id, facts.record.by);
    same("host's key", body.host.agent_key, facts.record.keyId);
    const answers = Object.values(body.checks);
    must(answers.length > 0 && answers.every((answer) => answer === "yes"), "the service had reservations");
  },

  consistency({ bundle, log, order }) {
    const { origin, size, root } = order.body.after;
    same("log", origin, log.origin);
    must(size >= 1 && size <= bundle.acceptance.index, "the order names a later place than the record's");
    const proof = proofHashes(bundle.consistency);
    const [then, now] = rootsOver(unbase64(root), size, log.size, proof);
    proof.end();
    must(then.equals(unbase64(root)) && now.equals(log.root), "the log was rewritten since the order");
  },

  decision(facts) {
    const { validation, certificate } = facts.bundle;
    const decided = opened(validation.envelope, "validation", facts.service("acceptance", validation.index));
    const issued = opened(certificate.envelope, "certificate", facts.service("acceptance", certificate.index));
    same("decision", decided.body.decision, "approve");
    same("record", facts.record.digest, decided.body.record_sha256, issued.body.record_sha256);
    same("acceptance", facts.acceptance.digest, decided.body.acceptance_sha256, issued.body.acceptance_sha256);
    same("validation", decided.digest, issued.body.validation_sha256);
    const { policy } = facts.record.body;
    same("policy", policy.id, decided.body.policy_id);
    same("policy's digest", policy.sha256, decided.body.policy_sha256);
    const approvers = facts.bundle.approvals.map((envelope) => read(envelope, "approval").body.approver);
    const person = decided.body.validator.ref;
    must(person && ![facts.order.body.requested_by, ...approvers].includes(person), "the validator took part before");
  },
};

/** Judges one bundle. After the first check that fails the others are not reached: they would rest on something broken. */
function judge(bytes, pin) {
  const facts = { bytes, pin };
  let broken = "";
  const checks = Object.entries(CHECKS).map(([name, check]) => {
    if (broken) return { name, ok: false, why: `not reached after ${broken}` };
    try {
      check(facts);
      return { name, ok: true, why: "" };
    } catch (error) {
      broken = name;
      return { name, ok: false, why: error.message };
    }
  });
  return { yes: checks.every((check) => check.ok), checks, notChecked: NOT_CHECKED };
}

function judgeFolder(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
  const pinOf = (name) => [join(folder, name.replace(/json$/, "pin")), join(folder, "pin")].find(existsSync);
  const one = (name) => judge(readFileSync(join(folder, name)), readFileSync(pinOf(name), "ascii").trim());
  return Object.fromEntries(names.map((name) => [name, one(name)]));
}

const [first, second] = process.argv.slice(2);
if (!second) {
  console.error("usage: node verify.mjs BUNDLE.json PIN | --batch FOLDER");
  process.exit(2);
}
const result = first === "--batch" ? judgeFolder(second) : judge(readFileSync(first), second);
const results = first === "--batch" ? Object.values(result) : [result];
console.log(JSON.stringify(result, null, first === "--batch" ? 0 : 2));
process.exitCode = results.length > 0 && results.every((one) => one.yes) ? 0 : 1;
