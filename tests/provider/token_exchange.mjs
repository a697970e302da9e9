// Token exchange (RFC 8693): whoever shows a token of ours gets one of the same person's for somebody else.
import { errors } from 'oidc-provider';
import { verified } from './jwt.mjs';
import { issue } from './resources.mjs';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

const TYPE = 'urn:ietf:params:oauth:token-type:';
const SHOWN = ['access_token', 'id_token', 'jwt'].map((type) => TYPE + type);
const ISSUED = ['access_token', 'jwt'].map((type) => TYPE + type);
const SEVERAL = ['audience', 'resource'];
const ONCE = ['scope', 'subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type'];

export function allowTokenExchange(provider, { keys, settings }) {
  provider.registerGrantType(TOKEN_EXCHANGE, async (ctx) => {
    const { params } = ctx.oidc;
    if (!params.subject_token) throw new errors.InvalidRequest('subject_token is missing');
    if ((params.actor_token === undefined) !== (params.actor_token_type === undefined)) {
      throw new errors.InvalidRequest('actor_token and actor_token_type come together');
    }
    const issued = params.requested_token_type ?? `${TYPE}access_token`;
    if (!ISSUED.includes(issued)) throw new errors.InvalidRequest('requested_token_type is not issued here');
    const audience = SEVERAL.flatMap((name) => params[name] ?? []);
    if (audience.length === 0) throw new errors.InvalidTarget('audience or resource is missing');
    const subject = await owner(provider, keys, 'subject_token', params);
    const actor = params.actor_token && await owner(provider, keys, 'actor_token', params);
    ctx.body = { ...await issue(ctx.oidc, settings, { subject, audience, actor }), issued_token_type: issued };
  }, [...ONCE, ...SEVERAL], SEVERAL);
}

/** Who the token in this parameter is of. A token that is no good is a bad request (section 2.2.2). */
async function owner(provider, keys, name, params) {
  if (!SHOWN.includes(params[`${name}_type`])) throw new errors.InvalidRequest(`${name}_type is not taken here`);
  const token = params[name];
  const kept = await provider.AccessToken.find(token) ?? await provider.ClientCredentials.find(token);
  if (kept) return kept.accountId ?? kept.clientId;
  try {
    return verified(token, keys).sub;
  } catch (cause) {
    throw new errors.InvalidRequest(`${name} is no good`, undefined, { cause });
  }
}
