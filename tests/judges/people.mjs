// Whose signatures count: keys that the log enrolled, rosters that followed one another, what people signed themselves.
import { canonical, count, exactly, hex, keyring, moment, must, opened, publicKey, read, same } from "./formats.mjs";
import { personKey, personKeyring } from "./passkeys.mjs";

/** The service's keys of a role at a place in the log. */
export function serviceKeys(trust) {
  return (role, at) => {
    const counts = (key) => key.from_index <= at && (key.until_index === null || at < key.until_index);
    return keyring(trust.keys.filter((key) => key.role === role && counts(key)).map((key) => key.spki));
  };
}

export const rising = (items) => items.every((item, at) => at === 0 || items[at - 1].index < item.index);

/** The keys that these events brought into force and took out of it. */
export function enrolledKeys(events, service) {
  const known = new Map();
  must(rising(events), "the key events are not in the order of the log");
  for (const { envelope, index } of events) {
    const { body } = opened(envelope, "key-event", service("enrolment", index));
    const key = body.role === "approver" ? personKey(body.spki) : publicKey(body.spki);
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
  return known;
}

/** What an enrolled holder of this role signed alone. Time is the place in the log: the key must count at `at`. */
export function signedBy(known, envelope, kind, role, at) {
  const { signers } = read(envelope, kind);
  const holder = known.get(signers[0]);
  must(signers.length === 1 && holder?.role === role, `the ${kind} is not signed by one enrolled ${role}`);
  must(holder.since < at && at < holder.until, `the key of ${holder.ref} does not count at entry ${at}`);
  return { ...opened(envelope, kind, new Map([[signers[0], holder.key]])), by: holder.ref, keyId: signers[0] };
}

/** The last of these rosters; each is signed by a quorum of the one before. */
export function rosterOf(rosters) {
  let before = null;
  must(rising(rosters), "the rosters are not in the order of the log");
  for (const { envelope } of rosters) {
    const { body, payloadDigest } = read(envelope, "roster");
    const keys = personKeyring(body.people.map((person) => person.public_key));
    must(body.people.every((person) => personKey(person.public_key).id === person.key_id), "a key id is not the key's");
    same("people of the roster", new Set(body.people.map((person) => person.ref)).size, body.people.length);
    const others = body.people.some((person) => person.roles.some((role) => role !== "approver"));
    must(body.schema === (others ? "sanitrail/roster/2" : "sanitrail/roster/1"), "roles that its version does not know");
    must(count(body.quorum) && body.quorum >= 1 && body.quorum <= keys.size, "a quorum that makes no sense");
    must(count(body.minimum_approvals) && body.minimum_approvals >= 1, "a minimum that makes no sense");
    same("version of the roster", body.version, before === null ? 1 : before.body.version + 1);
    same("roster before", body.previous, before === null ? null : before.payloadDigest);
    const { signers } = opened(envelope, "roster", before?.keys ?? keys);
    must(signers.length >= (before?.body ?? body).quorum, "signed by fewer than the quorum");
    before = { body, keys, payloadDigest };
  }
  return before.body;
}

/** Whether each of these roles is held by another one of these people. */
export function rolesShown(wanted, people) {
  if (wanted.length === 0) return true;
  const able = people.filter((person) => person.roles.includes(wanted[0]));
  return able.some((one) => rolesShown(wanted.slice(1), people.filter((person) => person !== one)));
}

const SIGNATURE = ["role", "said", "schema", "sha256", "shown", "signer", "subject", "time"];

/** Personal signatures under a document at `at`: by people of the roster with enrolled keys, and exactly those that it names. */
export function personal(envelopes, named, known, roster, at) {
  const found = envelopes.map((envelope) => {
    const { body, by, keyId, digest } = signedBy(known, envelope, "personal-signature", "approver", at);
    exactly(body, SIGNATURE, "personal signature");
    same("signer", by, body.signer, roster?.people.find((person) => person.key_id === keyId)?.ref);
    moment(body.time);
    return { ...body, digest };
  });
  same("signatures that the document names", named.join(), found.map((one) => one.digest).join());
  return found;
}

/** They are about these facts, in these roles and this order, each by another person. */
export function fitting(signatures, facts, subject, roles) {
  const digest = hex(canonical(facts));
  for (const one of signatures) {
    same("subject of a signature", one.subject, subject);
    same("facts under a signature", one.sha256, digest);
  }
  const given = roles.filter((role) => signatures.some((one) => one.role === role));
  same("roles of the signatures", signatures.map((one) => one.role).join(), given.join());
  same("people who signed", new Set(signatures.map((one) => one.signer)).size, signatures.length);
}
