// A second judge of evidence, in another language and without a line of ours: plain Node 18 or newer, no packages. Written from
// the formats (docs/auditors.md, RFC 6962, RFC 8785, DSSE v1, C2SP signed notes, FIPS 204), not from the verifier.
//
//   node verify.mjs FILE.json PIN         judges one file; exit 0 only when every check passed. Evidence that lies beside a
//                                         document about many media is looked for in the file's own folder.
//   node verify.mjs --batch FOLDER        judges every X.json of a folder under the pin in X.pin, or else in the file "pin"
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { BALANCE } from "./balance.mjs";
import { DESTRUCTION, ERASURE, LOT, PROCESSOR } from "./documents.mjs";
import { hex } from "./formats.mjs";
import { RUN, RUN_NOT_CHECKED } from "./run.mjs";

const KINDS = {
  "sanitrail/balance-sheet": BALANCE,
  "sanitrail/lot-certificate": LOT,
  "sanitrail/processor-statement": PROCESSOR,
  "sanitrail/destruction-certificate": DESTRUCTION,
  "sanitrail/erasure-statement": ERASURE,
};
const SENTENCES = "sentences: the words of what is open, missing or an exception, beyond how many there are and where";

/** Which checks a file is due, by the format it names; whatever names none is judged as a run, and refused for its format. */
function checksOf(bytes) {
  try {
    const format = String(JSON.parse(bytes.toString("utf8")).format);
    return KINDS[format.split("/").slice(0, 2).join("/")] ?? RUN;
  } catch {
    return RUN;
  }
}

/** Judges one file. After the first check that fails the others are not reached: they would rest on something broken. */
function judge(bytes, pin, beside) {
  const facts = { bytes, pin, beside };
  const due = checksOf(bytes);
  let broken = "";
  const checks = Object.entries(due).map(([name, check]) => {
    if (broken) return { name, ok: false, why: `not reached after ${broken}` };
    try {
      check(facts);
      return { name, ok: true, why: "" };
    } catch (error) {
      broken = name;
      return { name, ok: false, why: error.message };
    }
  });
  const notChecked = due === RUN ? RUN_NOT_CHECKED : [...RUN_NOT_CHECKED, SENTENCES];
  return { yes: checks.every((check) => check.ok), checks, notChecked };
}

/** Finds evidence in a folder by its digest; reads the folder only when it is asked. */
function besideIn(folder) {
  let known = null;
  return (digest) => {
    const files = () => readdirSync(folder).filter((name) => name.endsWith(".json"));
    known ??= new Map(files().map((name) => readFileSync(join(folder, name))).map((bytes) => [hex(bytes), bytes]));
    return known.get(digest) ?? null;
  };
}

function judgeFolder(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
  const pinOf = (name) => [join(folder, name.replace(/json$/, "pin")), join(folder, "pin")].find(existsSync);
  const beside = besideIn(folder);
  const one = (name) => judge(readFileSync(join(folder, name)), readFileSync(pinOf(name), "ascii").trim(), beside);
  return Object.fromEntries(names.map((name) => [name, one(name)]));
}

const [first, second] = process.argv.slice(2);
if (!second) {
  console.error("usage: node verify.mjs FILE.json PIN | --batch FOLDER");
  process.exit(2);
}
const batch = first === "--batch";
const result = batch ? judgeFolder(second) : judge(readFileSync(first), second, besideIn(dirname(first)));
const results = batch ? Object.values(result) : [result];
console.log(JSON.stringify(result, null, batch ? 0 : 2));
process.exitCode = results.length > 0 && results.every((one) => one.yes) ? 0 : 1;
