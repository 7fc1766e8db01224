'use strict';
/* Clients that nobody here wrote, driven line by line: a JSON command on standard input, its answer on standard output.
 * Rule: nothing of the protocol is done here by hand; what the libraries refuse is the answer {"error": ...}. */
const readline = require('node:readline');
const { Issuer, generators, custom } = require('openid-client');
const jose = require('jose');

custom.setHttpOptionsDefaults({ timeout: 20000 });
let issuer, client, pending;

const commands = {
  /* RFC 8414 */
  async discover({ url }) {
    issuer = await Issuer.discover(url);
    return issuer.metadata;
  },
  async register({ metadata }) {
    client = new issuer.Client({ response_types: ['code'], ...metadata });
    return {};
  },
  async client_credentials({ scope }) {
    return client.grant({ grant_type: 'client_credentials', scope });
  },
  /* RFC 7636: where the browser is to be sent */
  async authorize({ redirect_uri, scope }) {
    pending = { code_verifier: generators.codeVerifier(), state: generators.state(), redirect_uri };
    return {
      url: client.authorizationUrl({
        redirect_uri, scope, state: pending.state,
        code_challenge: generators.codeChallenge(pending.code_verifier), code_challenge_method: 'S256',
      }),
    };
  },
  /* The address the browser was sent back to; checks state and iss (RFC 9207). */
  async callback({ url }) {
    const { redirect_uri, state, code_verifier } = pending;
    return client.oauthCallback(redirect_uri, client.callbackParams(url), { state, code_verifier, response_type: 'code' });
  },
  async refresh({ token }) {
    return client.refresh(token);
  },
  async revoke({ token }) {
    await client.revoke(token);
    return {};
  },
  async introspect({ token }) {
    return client.introspect(token);
  },
  /* Our tokens by our published keys, as a resource server would check them. */
  async verify({ token, audience, jwks_uri }) {
    const keys = jose.createRemoteJWKSet(new URL(jwks_uri || issuer.metadata.jwks_uri));
    const { payload, protectedHeader } = await jose.jwtVerify(token, keys, {
      issuer: issuer.metadata.issuer, audience, algorithms: ['ES256'],
    });
    return { payload, protectedHeader };
  },
  /* Tokens that jose makes: with a key of its own, with none, or with our public key as a secret. */
  async forge({ claims, header, secret }) {
    if (header.alg === 'none') return { token: new jose.UnsecuredJWT(claims).encode() };
    const key = secret ? new TextEncoder().encode(secret) : (await jose.generateKeyPair(header.alg)).privateKey;
    return { token: await new jose.SignJWT(claims).setProtectedHeader(header).sign(key) };
  },
};

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  let answer;
  try {
    const { command, ...options } = JSON.parse(line);
    answer = { result: await commands[command](options) };
  } catch (fault) {
    answer = { error: fault.error || fault.code || fault.name, message: fault.message };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
});
