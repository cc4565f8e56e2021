// A plain client of a log in tiles, in another language and without a line of ours: fetches or reads everything, hashes every entry
// again, and compares every tile. Written from c2sp.org/tlog-tiles and RFC 6962, 2.1. Plain Node 18 or newer, no packages.
//
//   node tiles.mjs http://127.0.0.1:8443/api/v1/log PIN      or      node tiles.mjs FOLDER PIN
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hex, must, parse } from "./formats.mjs";
import { logState, trustRoots } from "./trust.mjs";

const WIDTH = 256;
const PLAIN = ["trust-root", "key-event", "correction"];
const [, , address, pin] = process.argv;

async function get(name) {
  if (!address.startsWith("http")) return readFileSync(join(address, name));
  const answer = await fetch(`${address}/${name}`, { redirect: "error" });
  must(answer.status === 200, `${name}: HTTP status ${answer.status}`);
  const kept = answer.headers.get("cache-control") ?? "";
  must(name === "checkpoint" || kept.includes("immutable"), `${name} may not be kept: ${kept}`);
  must(!answer.headers.has("set-cookie"), "a cookie for a public file");
  return Buffer.from(await answer.arrayBuffer());
}

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const leafHash = (entry) => sha256(Buffer.from([0]), entry);
const nodeHash = (left, right) => sha256(Buffer.from([1]), left, right);

function place(number, width) {
  const digits = String(number).padStart(Math.ceil(String(number).length / 3) * 3, "0").match(/.{3}/g);
  const path = digits.map((group, at) => (at < digits.length - 1 ? `x${group}` : group)).join("/");
  return width === WIDTH ? path : `${path}.p/${width}`;
}

function root(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(root(leaves.slice(0, split)), root(leaves.slice(split)));
}

async function entries(size) {
  const found = [];
  for (let number = 0; number * WIDTH < size; number++) {
    const width = Math.min(WIDTH, size - number * WIDTH);
    const data = await get(`tile/entries/${place(number, width)}`);
    let at = 0;
    for (let count = 0; count < width; count++) {
      const end = at + 2 + data.readUInt16BE(at);
      must(end <= data.length, "an entry bundle ends in the middle of an entry");
      found.push(data.subarray(at + 2, end));
      at = end;
    }
    must(at === data.length, "an entry bundle is too long");
  }
  return found;
}

async function compareTiles(leaves) {
  let row = leaves;
  let tiles = 0;
  for (let level = 0; row.length > 0; level++) {
    for (let number = 0; number * WIDTH < row.length; number++) {
      const part = row.slice(number * WIDTH, (number + 1) * WIDTH);
      const tile = await get(`tile/${level}/${place(number, part.length)}`);
      must(tile.equals(Buffer.concat(part)), `tile ${level}/${number} does not fit the entries`);
      tiles += 1;
    }
    const full = Math.floor(row.length / WIDTH);
    row = Array.from({ length: full }, (_, number) => root(row.slice(number * WIDTH, (number + 1) * WIDTH)));
  }
  return tiles;
}

try {
  const note = (await get("checkpoint")).toString("utf8");
  const leaves = await entries(Number(note.split("\n")[1]));
  const statements = [];
  for (const [index, raw] of leaves.entries()) {
    const [entry, form] = parse(raw);
    must(form.equals(raw) && entry.v === 1, `entry ${index} is not in its one form`);
    if (!PLAIN.includes(entry.kind)) continue;
    const data = await get(`${entry.kind}/${index}.json`);
    must(hex(data) === entry.sha256, `${entry.kind}/${index}.json is not what was logged`);
    statements.push([entry.kind, parse(data)[0]]);
  }
  const trust = trustRoots(statements.filter(([kind]) => kind === "trust-root").map(([, envelope]) => envelope), pin);
  const log = logState(note, trust);
  const hashes = leaves.map(leafHash);
  must(root(hashes).equals(log.root), "the entries do not hash to the signed root");
  const tiles = await compareTiles(hashes);
  console.log(`yes: ${leaves.length} entries, ${tiles} tiles, ${statements.length} statements`);
} catch (error) {
  console.log(`no: ${error.message}`);
  process.exitCode = 1;
}
