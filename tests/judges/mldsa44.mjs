// ML-DSA-44 signatures, checked as FIPS 204 writes it down (algorithms 3 and 8, empty context), for a Node that has none.
// Only public values pass through here, so that nothing needs to take constant time.
import { createHash } from "node:crypto";

const Q = 8380417;
const K = 4; // the matrix has K rows and K columns
const DROPPED_BITS = 13; // d
const TAU = 39;
const OMEGA = 80;
const GAMMA1 = 2 ** 17;
const GAMMA2 = (Q - 1) / 88;
const BETA = TAU * 2; // tau * eta

const shake = (bits, bytes, ...parts) =>
  parts.reduce((hash, part) => hash.update(part), createHash(`shake${bits}`, { outputLength: bytes })).digest();
const mod = (value) => ((value % Q) + Q) % Q; // products of two residues stay below 2^53
const range = (size) => [...Array(size).keys()];

/** zeta^BitRev8(k) mod q with zeta = 1753 (appendix B). */
const ZETAS = range(256).map((k) => {
  const exponent = parseInt(k.toString(2).padStart(8, "0").split("").reverse().join(""), 2);
  return range(exponent).reduce((power) => mod(power * 1753), 1);
});

function ntt(poly) {
  const w = poly.slice();
  for (let length = 128, m = 0; length >= 1; length /= 2)
    for (let start = 0; start < 256; start += 2 * length) {
      m += 1;
      for (let j = start; j < start + length; j += 1) {
        const t = mod(ZETAS[m] * w[j + length]);
        w[j + length] = mod(w[j] - t);
        w[j] = mod(w[j] + t);
      }
    }
  return w;
}

function inverseNtt(poly) {
  const w = poly.slice();
  for (let length = 1, m = 256; length < 256; length *= 2)
    for (let start = 0; start < 256; start += 2 * length) {
      m -= 1;
      for (let j = start; j < start + length; j += 1) {
        const t = w[j];
        w[j] = mod(t + w[j + length]);
        w[j + length] = mod(-ZETAS[m] * mod(t - w[j + length]));
      }
    }
  return w.map((value) => mod(value * 8347681)); // 256^-1
}

/** 256 numbers of `width` bits each, the lowest bit first (SimpleBitUnpack). */
function unpack(bytes, width) {
  const bit = (at) => (bytes[at >> 3] >> (at & 7)) & 1;
  return range(256).map((n) => range(width).reduce((sum, at) => sum + bit(n * width + at) * 2 ** at, 0));
}

function pack(numbers, width) {
  const bytes = Buffer.alloc((256 * width) / 8);
  numbers.forEach((number, n) => range(width).forEach((at) => {
    const place = n * width + at;
    bytes[place >> 3] |= ((number >> at) & 1) << (place & 7);
  }));
  return bytes;
}

/** One polynomial of the matrix, in the transformed domain (RejNTTPoly). */
function uniform(rho, row, column) {
  const bytes = shake(128, 1344, rho, Buffer.from([column, row])); // 448 candidates: 256 of them fit but once in 2^400
  const found = [];
  for (let at = 0; found.length < 256; at += 3) {
    const value = bytes[at] + 256 * bytes[at + 1] + 65536 * (bytes[at + 2] & 0x7f);
    if (value < Q) found.push(value);
  }
  return found;
}

/** The challenge: TAU coefficients of plus or minus one (SampleInBall). */
function challenge(seed) {
  const bytes = shake(256, 1088, seed);
  const c = Array(256).fill(0);
  let at = 8;
  for (let i = 256 - TAU; i < 256; i += 1) {
    while (bytes[at] > i) at += 1;
    const sign = i + TAU - 256;
    const j = bytes[at++];
    c[i] = c[j];
    c[j] = (bytes[sign >> 3] >> (sign & 7)) & 1 ? Q - 1 : 1;
  }
  return c;
}

/** The hints as one set of places for each row, or null when they are not in their one form (HintBitUnpack). */
function hints(bytes) {
  let from = 0;
  const rows = [];
  for (let row = 0; row < K; row += 1) {
    const to = bytes[OMEGA + row];
    if (to < from || to > OMEGA) return null;
    const places = [...bytes.subarray(from, to)];
    if (places.some((place, n) => n > 0 && place <= places[n - 1])) return null;
    rows.push(new Set(places));
    from = to;
  }
  return bytes.subarray(from, OMEGA).every((byte) => byte === 0) ? rows : null;
}

function highBits(value, hinted) {
  let low = value % (2 * GAMMA2);
  if (low > GAMMA2) low -= 2 * GAMMA2;
  const wraps = value - low === Q - 1;
  const high = wraps ? 0 : (value - low) / (2 * GAMMA2);
  if (!hinted) return high;
  return (high + ((wraps ? low - 1 : low) > 0 ? 1 : 43)) % 44;
}

/** Whether `signature` (2420 bytes) is that of `key` (1312 bytes) over `message`. */
export function mlDsa44Verifies(key, message, signature) {
  if (key.length !== 1312 || signature.length !== 2420) return false;
  const rho = key.subarray(0, 32);
  const t1 = range(K).map((row) => unpack(key.subarray(32 + 320 * row, 352 + 320 * row), 10));
  const seed = signature.subarray(0, 32);
  const z = range(K).map((n) => unpack(signature.subarray(32 + 576 * n, 608 + 576 * n), 18).map((value) => GAMMA1 - value));
  const hinted = hints(signature.subarray(2336));
  if (hinted === null || z.flat().some((value) => Math.abs(value) >= GAMMA1 - BETA)) return false;

  const mu = shake(256, 64, shake(256, 64, key), Buffer.from([0, 0]), message);
  const c = ntt(challenge(seed));
  const zHat = z.map((poly) => ntt(poly.map(mod)));
  const w1 = range(K).map((row) => {
    const t = ntt(t1[row].map((value) => mod(value * 2 ** DROPPED_BITS)));
    const sum = t.map((value, at) => mod(-c[at] * value));
    for (const column of range(K))
      uniform(rho, row, column).forEach((value, at) => {
        sum[at] = mod(sum[at] + value * zHat[column][at]);
      });
    return pack(inverseNtt(sum).map((value, at) => highBits(value, hinted[row].has(at))), 6);
  });
  return shake(256, 32, mu, ...w1).equals(seed);
}
