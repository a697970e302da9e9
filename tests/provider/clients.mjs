// The applications that may send people here. Each relying party is an address (scheme, host and port) where Portero listens.
export const SECRET = process.env.CLIENT_SECRET ?? 'correct-horse-battery-staple-0123456789';
// Characters that HTTP Basic carries only when they are form-encoded first, as OAuth asks.
export const ODD_SECRET = 'p:a%s s+w/o=rd&x';

export function clients({ relyingParties, backchannelLogout }) {
  const web = {
    client_secret: SECRET,
    redirect_uris: relyingParties.map((base) => `${base}/oauth2/callback`),
    post_logout_redirect_uris: relyingParties.map((base) => `${base}/oauth2/logged-out`),
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: 'openid offline_access profile email groups roles',
  };
  const signedWith = (client_id, alg) => ({ ...web, client_id, id_token_signed_response_alg: alg });
  const { client_secret: _, ...open } = web;
  // Programs without anybody in front of them.
  const program = (client_id) => ({ client_id, client_secret: SECRET, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] });
  const told = backchannelLogout && { backchannel_logout_uri: backchannelLogout, backchannel_logout_session_required: true };
  return [
    { ...web, ...told, client_id: 'web', token_endpoint_auth_method: 'client_secret_basic' },
    { ...web, client_id: 'web-post', token_endpoint_auth_method: 'client_secret_post' },
    { ...web, client_id: 'web-odd', client_secret: ODD_SECRET, token_endpoint_auth_method: 'client_secret_basic' },
    { ...open, client_id: 'spa', token_endpoint_auth_method: 'none' },
    signedWith('web-es256', 'ES256'),
    signedWith('web-es384', 'ES384'),
    signedWith('web-eddsa', 'EdDSA'),
    signedWith('web-ps256', 'PS256'),
    program('orders'),
    program('reports'),
  ];
}
