// An OpenID Connect provider on a loopback port: `oidc-provider` with its own development pages, where any name signs in.
//
//   node provider.mjs REDIRECT_URI        prints its issuer on the first line
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [redirect] = process.argv.slice(2);
const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    { client_id: "sanitrail", client_secret: "a secret only the two of us know", redirect_uris: [redirect] },
    { client_id: "public", token_endpoint_auth_method: "none", redirect_uris: [redirect] },
    { client_id: "somebody-else", client_secret: "another secret", redirect_uris: [redirect] },
  ],
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id, email: `${id}@example.org`, email_verified: !id.startsWith("unverified") }) }),
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  cookies: { keys: ["only for tests"] },
});
server.on("request", provider.callback());
console.log(issuer);
