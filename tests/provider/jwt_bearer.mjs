// Assertions as authorization grants (RFC 7523 section 2.1): a client signs for whom it wants a token.
import { errors } from 'oidc-provider';
import { verified } from './jwt.mjs';
import { issue, RESOURCE } from './resources.mjs';
import { names } from './users.mjs';

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const LONGEST = 3600;

/** The keys are those of the clients; `signers` finds them by the client's name. */
export function allowJwtBearer(provider, { signers, settings }) {
  provider.registerGrantType(JWT_BEARER, async (ctx) => {
    const { params } = ctx.oidc;
    if (!params.assertion) throw new errors.InvalidRequest('assertion is missing');
    const subject = await believed(provider, signers, params.assertion);
    const audience = [params.resource ?? RESOURCE];
    ctx.body = await issue(ctx.oidc, { ...settings, accessFormat: 'jwt' }, { subject, audience });
  }, ['assertion', 'scope', 'resource']);
}

/** For whom the assertion speaks; section 3 says what has to be right. */
async function believed(provider, signers, assertion) {
  const refuse = (cause) => { throw new errors.InvalidGrant({ detail: cause.message, cause }); };
  try {
    const { iss } = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const { sub, aud, exp, jti } = verified(assertion, signers(iss));
    const mine = [provider.issuer, `${provider.issuer}/token`];
    if (![aud].flat().some((one) => mine.includes(one))) throw new Error('it is for somebody else');
    if (exp > Date.now() / 1000 + LONGEST) throw new Error('it lasts too long');
    if (sub !== iss && !names.includes(sub)) throw new Error('it speaks for somebody unknown');
    if (!jti || !await provider.ReplayDetection.unique(iss, jti, exp)) throw new Error('it has been used before');
    return sub;
  } catch (cause) {
    return refuse(cause);
  }
}
