// The checks on documents: about many media, about a customer's case, and about what people attest of a destruction.
import { canonical, checkIncluded, exactly, hex, moment, must, opened } from "./formats.mjs";
import { parse, proofHashes, read, rootsOver, same } from "./formats.mjs";
import { annexDigest, checkAnnex, countLines, exceptionWords, lineOf } from "./lines.mjs";
import { enrolledKeys, fitting, personal, rosterOf, serviceKeys, signedBy } from "./people.mjs";
import { RUN } from "./run.mjs";
import { anchorOf, logState, trustRoots } from "./trust.mjs";

const sha256 = (text) => /^[0-9a-f]{64}$/.test(text);
const blank = (text) => text.trim() === "";

/** Form, trust root and state of the log, for a file with these fields; then the logged statement with these. */
function beginning(format, fields, schema, statement) {
  return {
    form(facts) {
      const [bundle, form] = parse(facts.bytes);
      must(form.equals(facts.bytes), "not its own canonical form (RFC 8785)");
      must(bundle.format === format || bundle.format === format.replace(/2$/, "1"), `format ${bundle.format}`);
      // Only erasure statements were written before anchors were; documents about many media came later, with theirs.
      const bare = format.endsWith("/2") && bundle.format !== format;
      exactly(bundle, [...fields, "format", "statement", ...(bare ? ["checkpoint", "trust_root"] : ["anchor"])], "file");
      facts.bundle = bundle;
      facts.anchor = bare ? anchorOf(bundle) : bundle.anchor;
      if (!bare) exactly(bundle.anchor, ["checkpoint", "since", "stamps", "trust_roots"], "anchor");
      if (!bare) same("stamps from before an order, where there is none", bundle.anchor.since.length, 0);
    },

    "trust-root"(facts) {
      facts.trust = trustRoots(facts.anchor.trust_roots, facts.pin);
      facts.service = serviceKeys(facts.trust);
    },

    checkpoint(facts) {
      facts.log = logState(facts.anchor.checkpoint, facts.trust);
    },

    statement(facts) {
      const item = facts.bundle.statement;
      checkIncluded(item, "statement", facts.log);
      facts.body = opened(item.envelope, "statement", facts.service("acceptance", item.index)).body;
      exactly(facts.body, [...statement, "issued", "number", "organization", "schema"], "statement");
      same("schema", facts.body.schema, schema);
      moment(facts.body.issued);
    },
  };
}

// --- media of a document about many

/** Every check of another file, all of which must hold; returns what they found. */
function holds(checks, bytes, pin) {
  const facts = { bytes, pin };
  for (const [name, check] of Object.entries(checks)) {
    try {
      check(facts);
    } catch (error) {
      throw new Error(`${name}: ${error.message}`);
    }
  }
  return facts;
}

/** An older file stands on a log and a trust root that this file's continue. */
function continued(older, facts, consistency) {
  const pins = (anchor) => anchor.trust_roots.map((envelope) => read(envelope, "trust-root").digest);
  const before = pins(older.anchor);
  same("trust root of the evidence", before.join(), pins(facts.anchor).slice(0, before.length).join());
  const proof = proofHashes(consistency);
  const [then, now] = rootsOver(older.log.root, older.log.size, facts.log.size, proof);
  proof.end();
  must(then.equals(older.log.root) && now.equals(facts.log.root), "the evidence is of another history");
}

const proven = ({ bundle }) => bundle.annex.filter((line) => ["sanitized", "destroyed"].includes(line.outcome));

const MEDIA = {
  annex(facts) {
    same("list of media", annexDigest(facts.bundle.annex), facts.stated.annex_sha256);
  },

  certificates(facts) {
    const { bundle, log, service } = facts;
    const lines = proven(facts);
    same("certificates", bundle.members.length, lines.length);
    facts.exceptions = bundle.members.map((member, at) => {
      exactly(member, ["bundle", "consistency", "document"], "member");
      const { document } = member;
      const kind = lines[at].outcome === "sanitized" ? "certificate" : "statement";
      must(document.index < bundle.statement.index, "a medium was certified after this document");
      checkIncluded(document, kind, log);
      const { body, digest } = opened(document.envelope, kind, service("acceptance", document.index));
      same(`line of ${lines[at].device}`, canonical(lineOf(body, lines[at], digest)), canonical(lines[at]));
      return body.exceptions;
    });
  },

  content(facts) {
    const { bundle, stated } = facts;
    if (facts.outcomes.empty !== true || bundle.annex.length > 0) checkAnnex(bundle.annex, facts.outcomes.allowed);
    same("counts", canonical(stated.counts), canonical(countLines(bundle.annex)));
    same("exceptions", canonical(stated.exceptions), canonical(exceptionWords(facts.exceptions)));
    facts.checkContent(facts);
  },

  media(facts) {
    const { bundle, stated, pin, beside } = facts;
    must(["inside", "beside"].includes(stated.evidence), "evidence that is neither inside nor beside");
    facts.absent = 0;
    proven(facts).forEach((line, at) => {
      const member = bundle.members[at];
      same("place of the evidence", member.bundle !== null, stated.evidence === "inside");
      const bytes = member.bundle === null ? beside(line.bundle_sha256) : Buffer.from(canonical(member.bundle));
      if (bytes === null) {
        facts.absent += 1;
        return;
      }
      same("evidence", hex(bytes), line.bundle_sha256);
      const sanitized = line.outcome === "sanitized";
      const older = holds(sanitized ? RUN : DESTRUCTION_GENUINE, bytes, pin);
      const closing = sanitized ? older.bundle.certificate : older.bundle.statement;
      same("certificate in the evidence", hex(canonical(closing.envelope)), line.document_sha256);
      same("place of the certificate", closing.index, member.document.index);
      continued(older, facts, member.consistency);
    });
  },
};

// --- a lot

const LOT_FIELDS = ["annex_sha256", "complete", "concurrence", "counts", "destination", "evidence", "exceptions", "lot"];
LOT_FIELDS.push("reference", "requested_by", "responsible");

function lotContent({ body }) {
  const { counts } = body;
  must(!blank(body.lot) && !blank(body.responsible.name), "a lot without a name, or nobody responsible");
  same("complete", body.complete, counts.total > 0 && counts.sanitized + counts.destroyed === counts.total);
}

const LOT_START = beginning("sanitrail/lot-certificate/1", ["annex", "members"], "sanitrail/lot-certificate/1", LOT_FIELDS);

export const LOT = {
  ...LOT_START,
  statement(facts) {
    LOT_START.statement(facts);
    facts.stated = facts.body;
    facts.outcomes = { allowed: ["sanitized", "destroyed", "failed", "missing", "waived", "open"] };
    facts.checkContent = lotContent;
  },
  ...MEDIA,
  complete({ body, absent }) {
    must(body.complete, "it says itself that not all media are proven");
    must(absent === 0, `the evidence of ${absent} media was not given`);
  },
};

// --- a processor's statement

const PEOPLES = ["earlier_rosters", "key_events", "roster", "signatures"];
const FACTS = ["agreement", "annex_sha256", "choice", "complete", "controller", "counts", "data_sets", "done"];
FACTS.push("evidence", "exceptions", "number", "open", "prepared", "processor", "responsible", "retained", "schema");
FACTS.push("sub_processors");

/** Where something is open by what the statement itself says, in its order. */
function whereOpen(given, lines) {
  const names = (list) => new Set(list.map((one) => one.data_set));
  const held = (line) => line.held.map((text) => text.slice(0, Math.max(0, text.lastIndexOf(" ("))));
  const called = (line) => line.asset_tag || line.device;
  const before = (time, other) => moment(time) <= moment(other);
  const returned = names(given.done.filter((one) => one.kind === "returned"));
  const told = new Set([...lines.flatMap(held), ...names(given.done)]);
  const kept = names(given.retained);
  const still = lines.filter((line) => ["open", "missing", "failed", "waived"].includes(line.outcome));
  const of = (outcome) => lines.filter((line) => line.outcome === outcome);
  return [
    ...(before(given.agreement.ended, given.prepared) ? [] : [given.agreement.reference]),
    ...still.map((line) => [called(line), line.model, line.serial].filter(Boolean).join(" ")),
    ...(given.choice === "return" ? given.data_sets.filter((name) => !returned.has(name)) : []),
    ...given.retained.filter((one) => blank(one.law) || before(one.until, given.prepared)).map((one) => one.data_set),
    ...given.data_sets.filter((name) => !told.has(name)),
    ...of("returned").filter((line) => !held(line).every((name) => returned.has(name))).map(called),
    ...of("retained").filter((line) => !held(line).some((name) => kept.has(name))).map(called),
    ...given.sub_processors.filter((sub) => sub.complete !== "yes" || !sub.evidence_sha256).map((sub) => sub.name),
  ];
}

function processorContent({ stated, bundle }) {
  const { controller, processor, agreement, responsible, data_sets: sets, done, retained, open } = stated;
  const parties = [controller.name, processor.name, agreement.reference, responsible.name];
  must(!parties.some(blank) && sets.length > 0 && new Set(sets).size === sets.length, "nobody could tell what it is about");
  for (const time of [agreement.concluded || stated.prepared, ...done.map((one) => one.time)]) moment(time);
  const digests = [...done.map((one) => one.receipt_sha256), ...stated.sub_processors.map((one) => one.evidence_sha256)];
  must(digests.every((text) => text === "" || sha256(text)), "a digest that is none");
  must([...done, ...retained].every((one) => sets.includes(one.data_set)), "it tells of a data set it is not about");
  const where = whereOpen(stated, bundle.annex);
  same("what is open", canonical(open.slice(0, where.length).map((one) => one.where)), canonical(where));
  same("complete", stated.complete, open.length === 0 && bundle.annex.length + done.length > 0);
}

const PROCESSOR_START = beginning(
  "sanitrail/processor-statement/1",
  ["annex", "members", ...PEOPLES],
  "sanitrail/processor-statement/1",
  ["facts", "signatures"],
);

/** The keys and the roster of those who signed a document; each in the log, before the document. */
function peopleOf(facts) {
  const { bundle, log, service } = facts;
  const rosters = [...bundle.earlier_rosters, ...(bundle.roster === null ? [] : [bundle.roster])];
  for (const event of bundle.key_events) checkIncluded(event, "key-event", log);
  for (const roster of rosters) checkIncluded(roster, "roster", log);
  must(rosters.every((roster) => roster.index < bundle.statement.index), "the roster is younger than the document");
  facts.known = enrolledKeys(bundle.key_events, service);
  must(bundle.roster !== null || bundle.signatures.length + rosters.length === 0, "people signed, and nothing shows who");
  facts.roster = bundle.roster === null ? null : rosterOf(rosters);
}

const signaturesOf = ({ bundle, body, known, roster }) =>
  personal(bundle.signatures, body.signatures, known, roster, bundle.statement.index);

export const PROCESSOR = {
  ...PROCESSOR_START,
  statement(facts) {
    PROCESSOR_START.statement(facts);
    const stated = (facts.stated = facts.body.facts);
    exactly(stated, FACTS, "facts");
    same("schema of the facts", stated.schema, "sanitrail/processor-facts/1");
    const proofs = ["sanitized", "destroyed"];
    const allowed = [...proofs, "returned", "retained", "missing", "failed", "waived", "open"];
    facts.outcomes = { allowed, empty: true };
    facts.checkContent = processorContent;
  },
  people: peopleOf,
  signature(facts) {
    const { body, stated } = facts;
    const found = signaturesOf(facts);
    fitting(found, stated, stated.number, ["responsible"]);
    same("responsible person", found.map((one) => one.signer).join(), stated.responsible.ref);
    same("number", body.number, stated.number);
    same("issuer", canonical(body.organization), canonical(stated.processor));
    const times = [stated.prepared, found[0].time, body.issued].map(moment);
    must(times[0] <= times[1] && times[1] <= times[2], "not signed between its preparation and its issue");
  },
  ...MEDIA,
  complete({ stated, absent }) {
    must(stated.complete, "it says itself that something is open");
    must(absent === 0, `the evidence of ${absent} media was not given`);
  },
};

// --- a physical destruction

const DESTRUCTION_FIELDS = ["concurrence", "countersigner", "decision", "destination", "exceptions", "facts", "missing"];
DESTRUCTION_FIELDS.push("record_sha256", "requested_by", "signatures", "witness");
const DESTROYED = ["category", "equipment", "id", "medium", "note", "operator", "particle_size_mm", "performed"];
DESTROYED.push("photographs", "place", "recorded", "schema", "serial_read", "technique");
const MEDIUM = ["asset_tag", "capacity_bytes", "fingerprint", "id", "manufacturer", "media", "model", "observed"];
MEDIUM.push("observed_on", "serial");
const ROLES = ["witness", "countersigner"];
const TECHNIQUES = ["disintegrate", "incinerate", "melt", "pulverize", "shred", "degauss-then-destroy"];

/** How many things a certificate of destruction lacks. */
function lacks({ facts, witness, countersigner, decision }, signatures) {
  const { medium } = facts;
  const plain = (text) => text.replace(/\s+/g, "").toUpperCase();
  const identified = sha256(medium.fingerprint) && medium.serial && medium.observed;
  const signer = (role) => signatures.find((one) => one.role === role)?.signer;
  const took = [facts.operator.ref, ...signatures.map((one) => one.signer)];
  const validator = decision.validator?.ref;
  const own = validator !== undefined && [facts.operator.ref, signer("witness") ?? ""].includes(validator);
  const reasons = [
    !identified || plain(facts.serial_read) === "" || plain(facts.serial_read) !== plain(medium.serial),
    !TECHNIQUES.includes(facts.technique) || (facts.technique.startsWith("degauss") && medium.media !== "magnetic"),
    blank(facts.equipment),
    blank(facts.place),
    facts.photographs.length === 0 || !facts.photographs.every(sha256),
    moment(facts.performed) > moment(facts.recorded),
    blank(facts.operator.name),
    !signer("witness") || witness === null || blank(witness.name),
    !signer("countersigner") || countersigner === null || blank(countersigner.name),
    decision.decision !== "approve" || decision.validator === null || blank(decision.validator.name),
    new Set(took).size !== took.length || own,
    signatures.some((one) => moment(one.time) < moment(facts.performed)),
  ];
  return reasons.filter(Boolean).length;
}

/** How many things its reader must be told on the first page. */
function warnings({ category, technique, particle_size_mm: size, medium }) {
  const reasons = [
    ["pulverize", "shred"].includes(technique) && category !== "low",
    size === null && ["shred", "pulverize", "disintegrate"].includes(technique),
    medium.media === "unknown",
    medium.asset_tag === "",
  ];
  return reasons.filter(Boolean).length;
}

const DESTRUCTION_START = beginning(
  "sanitrail/destruction-certificate/1",
  ["identity", ...PEOPLES],
  "sanitrail/destruction-certificate/1",
  DESTRUCTION_FIELDS,
);

const DESTRUCTION_GENUINE = {
  ...DESTRUCTION_START,
  statement(facts) {
    DESTRUCTION_START.statement(facts);
    exactly(facts.body.facts, DESTROYED, "facts");
    exactly(facts.body.facts.medium, MEDIUM, "medium");
    same("schema of the facts", facts.body.facts.schema, "sanitrail/destruction-facts/1");
  },
  people: peopleOf,
  signatures(facts) {
    facts.signatures = signaturesOf(facts);
  },
  identity({ bundle, body, log, service, known }) {
    same("record of the identity", bundle.identity === null, body.record_sha256 === null);
    if (bundle.identity === null) return;
    exactly(bundle.identity, ["acceptance", "record"], "identity");
    const { acceptance, record } = bundle.identity;
    checkIncluded(acceptance, "acceptance", log);
    must(acceptance.index < bundle.statement.index, "the record is younger than the document");
    const accepted = opened(acceptance.envelope, "acceptance", service("acceptance", acceptance.index)).body;
    const signed = signedBy(known, record, "sanitization-record", "agent", acceptance.index);
    same("record", signed.digest, accepted.record_sha256, body.record_sha256);
    same("medium", signed.body.device.fingerprint, body.facts.medium.fingerprint);
    same("serial number", signed.body.device.serial ?? "", body.facts.medium.serial);
    same("accepted as this medium's", accepted.checks.identity_matches_inventory, "yes");
    same("agent", signed.body.host.agent_key, signed.keyId);
  },
  content({ body, signatures }) {
    fitting(signatures, body.facts, body.facts.id, ROLES);
    for (const one of signatures) same(one.role, one.signer, body[one.role]?.ref);
    same("things that are missing", body.missing.length, lacks(body, signatures));
    same("exceptions", body.exceptions.length, warnings(body.facts));
  },
};

export const DESTRUCTION = {
  ...DESTRUCTION_GENUINE,
  complete({ body }) {
    must(body.missing.length === 0, "it says itself that something is missing");
  },
};

// --- a customer's statement of erasure

const CASE_FIELDS = ["attested", "case", "complete", "data_sets", "due", "media", "open", "opened", "responsible"];

export const ERASURE = {
  ...beginning("sanitrail/erasure-statement/2", ["bundles"], "sanitrail/statement/1", CASE_FIELDS),
  media(facts) {
    const { bundle, body, pin } = facts;
    const carried = new Map();
    for (const embedded of bundle.bundles) {
      exactly(embedded, ["bundle", "consistency"], "medium");
      const bytes = Buffer.from(canonical(embedded.bundle));
      // Any version of the trust root may be pinned; an older file has at least the first, which is trusted by now.
      const older = holds(RUN, bytes, read(facts.anchor.trust_roots[0], "trust-root").digest);
      must(older.bundle.certificate.index < bundle.statement.index, "a medium was certified after the statement");
      continued(older, facts, embedded.consistency);
      carried.set(hex(bytes), read(older.bundle.certificate.envelope, "certificate").body);
    }
    same("media", [...new Set(body.media.map((line) => line.bundle_sha256))].join(), [...carried.keys()].join());
    same("media, each once", carried.size, bundle.bundles.length);
    for (const line of body.media) {
      const { medium, number } = carried.get(line.bundle_sha256);
      const words = ({ manufacturer, model, serial, asset_tag: tag }) => [manufacturer, model, serial, tag].join("\n");
      same("medium", words(medium), words(line));
      same("certificate", number, line.certificate);
    }
  },
  content({ body }) {
    for (const time of [body.opened, body.due, ...body.attested.map((one) => one.time)]) moment(time);
    same("complete", body.complete, body.media.length + body.attested.length > 0 && body.open.length === 0);
  },
  complete({ body }) {
    must(body.complete, "it says itself that something is open");
  },
};
