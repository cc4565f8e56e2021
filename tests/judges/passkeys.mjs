// People's keys that are passkeys (W3C Web Authentication): a document in the place of a SubjectPublicKeyInfo, an assertion in the
// place of a signature. What does not fit throws, or verifies nothing.
import { createHash } from "node:crypto";
import { exactly, hex, must, parse, publicKey, same, unbase64 } from "./formats.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** A person's key: one that signs the bytes themselves, or a passkey. */
export function personKey(text) {
  const bytes = unbase64(text);
  if (bytes[0] !== 0x7b) return publicKey(text);
  const [body, form] = parse(bytes);
  must(form.equals(bytes), "a passkey that is not its own canonical form");
  exactly(body, ["origins", "rp_id", "schema", "spki"], "passkey");
  same("schema of a passkey", body.schema, "sanitrail/passkey/1");
  const { rp_id: domain, origins } = body;
  must(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(domain) && !/^[0-9.]+$/.test(domain), "a passkey without a domain");
  must(Array.isArray(origins) && origins.length >= 1 && origins.length <= 16, "a passkey without addresses, or with many");
  must(origins.every((one, at) => at === 0 || origins[at - 1] < one), "addresses of a passkey out of order, or twice");
  for (const origin of origins) {
    const url = new URL(origin);
    must(/^https?:\/\/[a-z0-9.:-]+$/.test(origin), "an address of a passkey that is none");
    const local = url.hostname === "localhost" || url.hostname.endsWith(".localhost");
    must(url.hostname === domain || url.hostname.endsWith(`.${domain}`), "an address of a passkey elsewhere");
    must(url.protocol === "https:" || local, "an address of a passkey without TLS");
  }
  const inner = publicKey(body.spki);
  return { id: hex(bytes), verifies: (message, signature) => asserted(message, signature, domain, origins, inner) };
}

export function personKeyring(texts) {
  const ring = new Map(texts.map(personKey).map((key) => [key.id, key]));
  must(ring.size === texts.length, "the same key twice");
  return ring;
}

function asserted(message, signature, domain, origins, inner) {
  const [parts, form] = parse(signature);
  must(form.equals(signature), "an assertion that is not its own canonical form");
  exactly(parts, ["authenticator_data", "client_data", "signature"], "assertion");
  const [data, client] = [unbase64(parts.authenticator_data), unbase64(parts.client_data)];
  const [said] = parse(client);
  same("what a passkey was asked for", said.type, "webauthn.get");
  same("what a passkey signed", said.challenge, sha256(message).toString("base64url"));
  must(origins.includes(said.origin), `a passkey used at ${said.origin}`);
  must((said.crossOrigin ?? false) === false && !("topOrigin" in said), "a passkey used inside another site's page");
  must(data.length >= 37 && data.subarray(0, 32).equals(sha256(domain)), "a passkey of another domain");
  const flags = data[32];
  must(flags & 1 && flags & 4, "a passkey whose user was not verified");
  must(!(flags & 64) && Boolean(flags & 128) === data.length > 37, "authenticator data of an odd shape");
  return inner.verifies(Buffer.concat([data, sha256(client)]), unbase64(parts.signature));
}
