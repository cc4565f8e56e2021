// Where this browser keeps approver keys: IndexedDB, private halves non-extractable. They cannot be read out again, not even by this page.

import { sha256Hex, toBase64 } from "./dsse.js";
import { say } from "./words.js";

const P256 = { name: "ECDSA", namedCurve: "P-256" };

function database() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("sanitrail-keys", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("keys", { keyPath: "keyId" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function transact(mode, act) {
  const db = await database();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction("keys", mode);
      const request = act(transaction.objectStore("keys"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    db.close();
  }
}

async function described(privateKey, publicKey) {
  const spki = await crypto.subtle.exportKey("spki", publicKey);
  return { keyId: await sha256Hex(spki), spki: toBase64(spki), privateKey };
}

/** Make a P-256 key whose private half can never leave this browser. Not kept until `keep`. */
export async function makeKey() {
  const pair = await crypto.subtle.generateKey(P256, false, ["sign", "verify"]);
  return described(pair.privateKey, pair.publicKey);
}

/** Keep the key here, and ask the browser not to clear it away when space is short. */
export async function keep(key, person) {
  if (navigator.storage?.persist) await navigator.storage.persist();
  await transact("readwrite", (store) => store.put({ ...key, person, made: new Date().toISOString() }));
}

export async function find(keyId) {
  return (await transact("readonly", (store) => store.get(keyId))) ?? null;
}

export async function all() {
  return transact("readonly", (store) => store.getAll());
}

export async function forget(keyId) {
  await transact("readwrite", (store) => store.delete(keyId));
}

async function publicHalf(privateKey, algorithm) {
  const jwk = await crypto.subtle.exportKey("jwk", privateKey);
  delete jwk.d;
  delete jwk.key_ops;
  return crypto.subtle.importKey("jwk", jwk, algorithm, true, ["verify"]);
}

/** Read a PKCS#8 PEM key file (P-256 or Ed25519). It is read by this page only, and never sent anywhere. */
export async function fromFile(file) {
  if (file.size > 16384) throw new Error(say("That file is too large to be a key."));
  const body = (await file.text()).match(/-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/);
  if (!body) throw new Error(say("That is not an unencrypted PKCS#8 PEM key file (it must say BEGIN PRIVATE KEY)."));
  const der = Uint8Array.from(atob(body[1].replace(/\s/g, "")), (char) => char.charCodeAt(0));
  for (const algorithm of [P256, "Ed25519"]) {
    try {
      const readable = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
      const publicKey = await publicHalf(readable, algorithm);
      const privateKey = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
      return described(privateKey, publicKey);
    } catch {
      // not of this algorithm; try the next
    }
  }
  throw new Error(say("The key in that file is neither P-256 nor Ed25519."));
}
