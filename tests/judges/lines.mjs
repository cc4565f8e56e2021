// The list of media in a document about many: what a line may say, and what follows from all of them.
import { canonical, exactly, hex, moment, must, same } from "./formats.mjs";

const LINE = ["asset_tag", "bundle_sha256", "device", "document", "document_sha256", "exceptions", "fingerprint", "held"];
LINE.push("issued", "manufacturer", "method", "model", "outcome", "reason", "serial", "technique", "verification");
const COUNTED = ["sanitized", "destroyed", "failed", "missing", "waived", "open", "returned", "retained"];

export const annexDigest = (lines) => hex(canonical(lines));

/** What the line says that follows from a medium's own certificate: everything but its number and what it held. */
export function lineOf(certificate, line, digest) {
  const { medium } = certificate.facts ?? certificate;
  const done = certificate.sanitization;
  if (!done) same("a certificate of destruction", certificate.schema, "sanitrail/destruction-certificate/1");
  must(done || certificate.missing.length === 0, "a report certifies nothing");
  const how = done
    ? { method: done.method, technique: done.technique, verification: done.verification.split(":")[0] }
    : { method: "destroy", technique: certificate.facts.technique, verification: "" };
  const { asset_tag, manufacturer, model, serial, fingerprint } = medium;
  const { device, held, bundle_sha256 } = line;
  const proof = { document: certificate.number, issued: certificate.issued, document_sha256: digest, bundle_sha256 };
  const outcome = done ? "sanitized" : "destroyed";
  const rest = { device, held, outcome, exceptions: certificate.exceptions.length, reason: "" };
  return { asset_tag, manufacturer, model, serial, fingerprint, ...how, ...proof, ...rest };
}

/** The lines fit together: each medium and document once, a proof where one is claimed and only there. */
export function checkAnnex(lines, allowed) {
  must(lines.length >= 1 && lines.length <= 2000, "no media, or too many");
  for (const name of ["device", "fingerprint", "document", "document_sha256", "bundle_sha256"]) {
    const given = lines.map((line) => line[name]).filter((value) => value !== "");
    same(`different values of ${name}`, new Set(given).size, given.length);
  }
  for (const line of lines) {
    exactly(line, LINE, "line");
    must(allowed.includes(line.outcome) && line.device, `the outcome ${line.outcome}, or a medium without a number`);
    const proofs = [line.document, line.document_sha256, line.bundle_sha256, line.method, line.issued];
    const claimed = ["sanitized", "destroyed"].includes(line.outcome);
    if (claimed) must(proofs.every(Boolean) && !line.reason, "success without its certificate and evidence");
    else must(!proofs.some(Boolean) && line.reason.trim(), "not proven, with evidence or without a reason");
    if (claimed) moment(line.issued);
  }
}

export function countLines(lines) {
  const counts = COUNTED.map((outcome) => [outcome, lines.filter((line) => line.outcome === outcome).length]);
  return { total: lines.length, ...Object.fromEntries(counts) };
}

/** The exceptions of all certificates, the same ones counted together, the most frequent first. */
export function exceptionWords(found) {
  const times = new Map();
  for (const text of found.flat()) times.set(text, (times.get(text) ?? 0) + 1);
  const order = ([a, m], [b, n]) => n - m || (a < b ? -1 : 1);
  return [...times].sort(order).map(([text, many]) => `${many} ${many === 1 ? "medium" : "media"}: ${text}`);
}
