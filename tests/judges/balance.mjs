// The checks on a closed balance: the sheet that was signed with it is counted again (docs/reconciliation.md).
import { canonical, checkIncluded, count, exactly, hex, moment, must, opened, parse, same } from "./formats.mjs";
import { serviceKeys } from "./people.mjs";
import { logState, trustRoots } from "./trust.mjs";

const FIRST = ["begin", "closed_by", "counts", "differences", "differences_sha256", "end", "number", "organization", "reason"];
FIRST.push("reference", "schema", "scope", "time", "words");
const LINE = ["attached", "before", "declared", "device", "observed", "placed", "proven", "state", "within"];
const GONE = { released: "released", destroyed: "destroyed", returned_unsanitized_by_waiver: "waived" };
const ENDS = ["present", "released", "destroyed", "waived", "moved", "missing", "unknown"];

/** Where a device is when the books are closed. */
function end({ state, attached, placed, within }) {
  if (Object.hasOwn(GONE, state)) return GONE[state];
  if (state === "missing") return "missing";
  if (!attached && !placed) return "unknown";
  return within ? "present" : "moved";
}

/** Where it was when they were opened. */
function origin({ before }) {
  if (before === null || (before.known && before.within)) return "before";
  return before.known ? "arrived" : "new";
}

/** Here at the beginning or the end, and not gone before it began. */
function belongs({ before, within }) {
  if (before?.known && Object.hasOwn(GONE, before.state)) return false;
  return within || before?.within === true;
}

/** What does not agree about a device, by its codes. */
function differences(line) {
  const at = end(line);
  const gone = Object.values(GONE).includes(at);
  const found = {
    "undeclared-device": !line.declared,
    "declared-not-observed": !line.observed,
    "device-missing": at === "missing",
    "whereabouts-unknown": at === "unknown",
    "disposed-device-seen": gone && line.attached,
    "disposed-without-proof": gone && !line.proven,
  };
  return Object.keys(found).filter((code) => found[code]);
}

/** Every number that follows from the lines of a sheet. */
function tally(sheet) {
  const many = (fits) => sheet.filter(fits).length;
  const at = Object.fromEntries(ENDS.map((word) => [word, many((line) => end(line) === word)]));
  const from = ["before", "new", "arrived"].map((word) => [word, many((line) => origin(line) === word)]);
  return {
    ...at,
    ...Object.fromEntries(from),
    declared: many((line) => line.declared),
    observed: many((line) => line.observed),
    total: sheet.length,
    disposed: at.released + at.destroyed + at.waived,
    closing: at.present + at.missing + at.unknown,
  };
}

/** The numbers of a statement by name, none twice and none below nothing. */
function numbers(statement) {
  for (const one of statement.counts) exactly(one, ["devices", "name"], "count");
  const said = Object.fromEntries(statement.counts.map((one) => [one.name, one.devices]));
  same("numbers of the sheet", Object.keys(said).length, statement.counts.length);
  must(Object.values(said).every(count), "a number that counts nothing");
  return said;
}

/** A closing as the service signed and logged it, of either version. */
function closing(item, facts) {
  checkIncluded(item, "statement", facts.log);
  const { body } = opened(item.envelope, "statement", facts.service("acceptance", item.index));
  const counted = body.schema === "sanitrail/balance/2";
  must(counted || body.schema === "sanitrail/balance/1", `a balance of the schema ${body.schema}`);
  exactly(body, counted ? [...FIRST, "devices_sha256"] : FIRST, "balance");
  moment(body.time);
  return body;
}

const key = ({ device, code, exception }) => [device, code, exception].join("\n");
const inOrder = (texts) => [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

export const BALANCE = {
  form(facts) {
    const [file, form] = parse(facts.bytes);
    must(form.equals(facts.bytes), "not its own canonical form (RFC 8785)");
    same("format", file.format, "sanitrail/balance-sheet/1");
    exactly(file, ["anchor", "before", "devices", "format", "lines", "statement"], "file");
    exactly(file.anchor, ["checkpoint", "since", "stamps", "trust_roots"], "anchor");
    same("stamps from before an order, where there is none", file.anchor.since.length, 0);
    for (const line of file.lines) exactly(line, ["code", "device", "exception"], "difference");
    for (const line of file.devices ?? []) {
      exactly(line, LINE, "line of the sheet");
      if (line.before !== null) exactly(line.before, ["known", "state", "within"], "earlier standing");
    }
    facts.file = file;
  },

  "trust-root"(facts) {
    facts.trust = trustRoots(facts.file.anchor.trust_roots, facts.pin);
    facts.service = serviceKeys(facts.trust);
  },

  checkpoint(facts) {
    facts.log = logState(facts.file.anchor.checkpoint, facts.trust);
  },

  statement(facts) {
    facts.closed = closing(facts.file.statement, facts);
  },

  before(facts) {
    const { before, statement } = facts.file;
    if (before === null) return;
    facts.earlier = closing(before, facts);
    must(before.index < statement.index, "the one before it was closed after it");
    same("scope", facts.earlier.scope, facts.closed.scope);
    same("reference", facts.earlier.reference, facts.closed.reference);
    same("end of the one before", facts.earlier.end, facts.closed.begin);
  },

  sheet({ file, closed }) {
    if (closed.devices_sha256 === undefined) return must(file.devices === null, "a sheet that nobody signed");
    if (file.devices === null) return; // left out: the last check says what follows from that
    const sheet = file.devices;
    const known = sheet.map((line) => line.device);
    must(known.every((device, at) => at === 0 || known[at - 1] < device), "a device twice, or out of order");
    must(sheet.every((line) => (line.before === null) === (closed.begin === "")), "a period, or none, against the statement");
    must(sheet.every(belongs), "a device that does not belong on it");
    same("the sheet's digest", hex(sheet.map((line) => `${canonical(line)}\n`).join("")), closed.devices_sha256);
  },

  count({ file, closed }) {
    const said = numbers(closed);
    if (file.devices !== null) return same("numbers", canonical(tally(file.devices)), canonical(said));
    same("names of numbers", Object.keys(said).sort().join(), Object.keys(tally([])).sort().join());
    same("total by ends", said.total, ENDS.reduce((sum, word) => sum + said[word], 0));
    same("total by origins", said.total, said.before + said.new + said.arrived);
    same("disposed", said.disposed, said.released + said.destroyed + said.waived);
    same("closing", said.closing, said.present + said.missing + said.unknown);
  },

  differences({ file, closed, earlier }) {
    same("how many differ", file.lines.length, closed.differences);
    const sorted = inOrder(file.lines.map(key)).map((text) => file.lines.find((line) => key(line) === text));
    same("digest of the differences", hex(canonical(sorted)), closed.differences_sha256);
    must(file.lines.every((line) => line.exception), "a difference has no name");
    const named = file.lines.filter((line) => line.code !== "balance-broken");
    if (file.devices !== null) {
      const found = file.devices.flatMap((line) => differences(line).map((code) => `${line.device}\n${code}`));
      same("differences", inOrder(found).join(), inOrder(named.map((line) => `${line.device}\n${line.code}`)).join());
    }
    if (earlier && named.length === file.lines.length) {
      same("devices at the end of the one before, and here", numbers(earlier).closing, numbers(closed).before);
    }
  },

  complete({ file, closed }) {
    must(closed.devices_sha256 !== undefined && file.devices !== null, "its sheet is not here: nobody can count it again");
  },
};
