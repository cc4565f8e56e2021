// DSSE v1 envelopes in the browser, with WebCrypto alone. The same bytes as reports/envelope.py and reports/canonical.py.

const text = new TextEncoder();

export function toBase64(bytes) {
  let binary = "";
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function fromBase64(value) {
  return Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
}

export function toHex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function sha256Hex(bytes) {
  return toHex(await crypto.subtle.digest("SHA-256", bytes));
}

/** RFC 8785 for the values our statements hold: objects, lists, strings, integers below 2^53, true, false, null. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Error("a statement holds no such number");
  if (typeof value === "string" && !value.isWellFormed()) throw new Error("a statement holds no broken text");
  return JSON.stringify(value);
}

export function payloadType(kind) {
  return `application/vnd.sanitrail.${kind}.v1+json`;
}

function join(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The DSSE pre-authentication encoding: what is truly signed. */
export function pae(type, payload) {
  const typeBytes = text.encode(type);
  return join([text.encode(`DSSEv1 ${typeBytes.length} ${type} ${payload.length} `), payload]);
}

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function derInteger(value) {
  let hex = value.toString(16);
  if (hex.length % 2) hex = `0${hex}`;
  if (Number.parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`;
  const bytes = hex.match(/../g).map((pair) => Number.parseInt(pair, 16));
  return [0x02, bytes.length, ...bytes];
}

/** WebCrypto gives r and s side by side (IEEE P1363); evidence uses DER, with the lower of the two possible s. */
export function derFromP1363(signature) {
  const bytes = new Uint8Array(signature);
  const r = BigInt(`0x${toHex(bytes.slice(0, 32))}`);
  let s = BigInt(`0x${toHex(bytes.slice(32))}`);
  if (s > P256_ORDER / 2n) s = P256_ORDER - s;
  const body = [...derInteger(r), ...derInteger(s)];
  return new Uint8Array([0x30, body.length, ...body]);
}

/** An approver's passkey signs the SHA-256 of the message as its challenge; its whole answer is the signature (reports/passkeys.py). */
async function assertionBytes(passkey, message) {
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: await crypto.subtle.digest("SHA-256", message),
      rpId: passkey.rp_id,
      allowCredentials: [{ type: "public-key", id: fromBase64(passkey.credential) }],
      userVerification: "required",
    },
  });
  const { authenticatorData, clientDataJSON, signature } = credential.response;
  return text.encode(canonical({ authenticator_data: toBase64(authenticatorData), client_data: toBase64(clientDataJSON), signature: toBase64(signature) }));
}

async function signBytes(key, message) {
  if (key.passkey) return assertionBytes(key.passkey, message);
  if (key.privateKey.algorithm.name === "Ed25519") return new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, message));
  return derFromP1363(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, message));
}

/**
 * Sign payload bytes as one kind of statement.
 * @param {string} kind such as "approval"
 * @param {Uint8Array} payload the exact bytes
 * @param {{keyId: string, privateKey: CryptoKey} | {keyId: string, passkey: {rp_id: string, credential: string}}} key
 */
export async function signPayload(kind, payload, key) {
  const signature = await signBytes(key, pae(payloadType(kind), payload));
  return { payloadType: payloadType(kind), payload: toBase64(payload), signatures: [{ keyid: key.keyId, sig: toBase64(signature) }] };
}

export function statementBytes(body) {
  return text.encode(canonical(body));
}
