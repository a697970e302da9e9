// What access tokens are for, and how such tokens look.
export const RESOURCE = 'urn:portero:test-api';

/** The settings speak of the API behind Portero. Tokens for anybody else are signed, and name whom they are for. */
export function resourceServer(identifier, settings) {
  const here = identifier === RESOURCE;
  return {
    scope: here ? '' : 'read write',
    audience: here ? settings.accessAudience : identifier,
    accessTokenTTL: here ? settings.accessTtl : settings.resourceTtl,
    accessTokenFormat: here ? settings.accessFormat : 'jwt',
    jwt: { sign: { alg: settings.accessAlg } },
  };
}

/** Writes an access token for somebody (`subject`), to be used at `audience`, and says so as the token endpoint does. */
export async function issue({ provider, client, params }, settings, { subject, audience, actor }) {
  const [first] = audience;
  const token = new provider.AccessToken({ client, accountId: subject, scope: params.scope });
  token.resourceServer = new provider.ResourceServer(first, resourceServer(first, settings));
  token.aud = audience.length === 1 ? first : audience;
  token.actor = actor;
  const value = await token.save();
  return { access_token: value, token_type: token.tokenType, expires_in: token.expiration, scope: token.scope };
}
