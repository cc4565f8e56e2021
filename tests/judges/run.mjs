// The checks on one run: from the pinned trust root to the certificate.
import { canonical, checkIncluded, count, exactly, hex, moment, must } from "./formats.mjs";
import { opened, parse, proofHashes, read, rootsOver, same, unbase64 } from "./formats.mjs";
import { enrolledKeys, rising, rolesShown, rosterOf, serviceKeys, signedBy } from "./people.mjs";
import { anchorOf, logState, trustRoots } from "./trust.mjs";

export const RUN_NOT_CHECKED = [
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

export const RUN = {
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
    facts.service = serviceKeys(facts.trust);
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
    must(rising(bundle.key_events), "the key events are not in the order of the log");
    must(rising([...rosters, bundle.acceptance, bundle.validation, bundle.certificate]), "not in the order of the log");
  },

  keys(facts) {
    const known = enrolledKeys(facts.bundle.key_events, facts.service);
    facts.signedBy = (envelope, kind, role) => signedBy(known, envelope, kind, role, facts.bundle.acceptance.index);
  },

  rosters(facts) {
    facts.roster = rosterOf(facts.rosters);
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
    const wanted = order.schema === "sanitrail/order/2" ? order.approval_roles : [];
    must(order.schema === "sanitrail/order/1" ? order.approval_roles === undefined : wanted.length > 0, "roles and version");
    must(rolesShown(wanted, facts.roster.people.filter((person) => people.has(person.ref))), "a role is not among them");
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
