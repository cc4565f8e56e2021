// A second reader of what is carried by hand: the texts of the codes in any order, and the signed bundle they give. Written from the
// handbook's page on it and ISO/IEC 18004's alphabet, without a line of ours. Plain Node 18 or newer, no packages.
//
//   node by_hand.mjs job-bundle PIN < TEXTS         PIN: the published digest of the trust root
//   node by_hand.mjs return-bundle KEY < TEXTS      KEY: the agent's public key, base64
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { canonical, hex, keyring, must, opened, parse, read, same } from "./formats.mjs";
import { serviceKeys } from "./people.mjs";
import { logState, trustRoots } from "./trust.mjs";

const SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-.";
const PART = /^SANITRAIL:1:([0-9A-F]{16}):(\d+)\/(\d+):([0-9A-F]{8}):([0-9A-Z$*+\-.]+)$/;

/** CRC-32 as everywhere (ISO/IEC 13239), bit by bit. */
function crc32(text) {
  let rest = 0xffffffff;
  for (const byte of Buffer.from(text, "ascii")) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return (~rest >>> 0).toString(16).toUpperCase().padStart(8, "0");
}

/** Three signs, the least first, hold two bytes, the greater first; two signs at the end hold one. */
function bytesOf(text) {
  const found = [];
  for (let at = 0; at < text.length; at += 3) {
    const signs = [...text.slice(at, at + 3)];
    const value = signs.reduceRight((sum, sign) => sum * SIGNS.length + SIGNS.indexOf(sign), 0);
    must(signs.length > 1 && value < 256 ** (signs.length - 1), "signs that hold no bytes");
    if (signs.length === 3) found.push(value >> 8);
    found.push(value & 255);
  }
  return Buffer.from(found);
}

function packed(texts) {
  const parts = new Map();
  const rows = new Set();
  for (const text of texts) {
    const [, digest, number, of, check, body] = PART.exec(text) ?? [];
    must(body !== undefined, "no part of a bundle");
    same(`check of part ${number}`, crc32(`SANITRAIL:1:${digest}:${number}/${of}:${body}`), check);
    rows.add(`${digest} ${of}`);
    parts.set(Number(number), bytesOf(body));
  }
  same("rows", rows.size, 1);
  const [digest, of] = [...rows][0].split(" ");
  const order = Array.from({ length: Number(of) }, (_, at) => at + 1);
  const missing = order.filter((number) => !parts.has(number));
  must(missing.length === 0, `missing: ${missing.join(", ")}`);
  const whole = Buffer.concat(order.map((number) => parts.get(number)));
  same("digest of the row", createHash("sha256").update(whole).digest("hex").slice(0, 16).toUpperCase(), digest);
  return whole;
}

/** Payloads that were taken out of their base64 go back into it. */
function closed(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(closed);
  const found = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, closed(one)]));
  const envelope = Object.keys(found).sort().join() === "payload,payloadType,signatures";
  if (envelope && found.payload !== null && typeof found.payload === "object") {
    found.payload = Buffer.from(canonical(found.payload)).toString("base64");
  }
  return found;
}

/** A job bundle brings the trust root it stands on; that it is the published one says the pin. */
function service(envelope, pin) {
  const { body } = read(envelope, "job-bundle");
  const trust = trustRoots(body.trust_roots, pin);
  return serviceKeys(trust)("acceptance", logState(body.checkpoint, trust).size);
}

try {
  const [, , kind, whom] = process.argv;
  const texts = readFileSync(0, "ascii").split("\n").filter((line) => line !== "");
  const [body] = parse(inflateSync(packed(texts), { maxOutputLength: 4 << 20 }));
  const envelope = closed(body);
  const found = opened(envelope, kind, kind === "job-bundle" ? service(envelope, whom) : keyring([whom]));
  process.stdout.write(`yes: ${hex(canonical(envelope))} ${found.body.number}\n`);
} catch (error) {
  process.stdout.write(`no: ${error.message}\n`);
  process.exitCode = 1;
}
