// Checks one message of a webhook as a receiver would, with Node's own cryptography: Standard Webhooks 1.0.
// Reads {headers, body, secret, publicKey, now} as JSON from standard input; prints "ok" or what is wrong.
import { createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const { headers, body, secret, publicKey, now } = JSON.parse(readFileSync(0, "utf8"));
const say = (word) => { console.log(word); process.exit(0); };

const id = headers["webhook-id"], stamp = headers["webhook-timestamp"];
if (!id || !/^\d+$/.test(stamp ?? "")) say("no id or timestamp");
if (Math.abs(now - Number(stamp)) > 300) say("too old or too new");
const signed = Buffer.from(`${id}.${stamp}.${body}`);

const fits = (one) => {
  const [version, value] = one.split(",");
  const given = Buffer.from(value ?? "", "base64");
  if (version === "v1" && secret) {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const own = createHmac("sha256", key).update(signed).digest();
    return own.length === given.length && timingSafeEqual(own, given);
  }
  if (version === "v1a" && publicKey) {
    const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(publicKey, "base64")]);
    return verify(null, signed, createPublicKey({ key: der, format: "der", type: "spki" }), given);
  }
  return false;
};
say((headers["webhook-signature"] ?? "").split(" ").some(fits) ? "ok" : "no signature fits");
