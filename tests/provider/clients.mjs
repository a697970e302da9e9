import { JWT_BEARER } from './jwt_bearer.mjs';
import { TOKEN_EXCHANGE } from './token_exchange.mjs';

// The applications that may send people here. Each relying party is an address (scheme, host and port) where Portero listens.
export const SECRET = process.env.CLIENT_SECRET ?? 'correct-horse-battery-staple-0123456789';
// Characters that HTTP Basic carries only when they are form-encoded first, as OAuth asks.
export const ODD_SECRET = 'p:a%s s+w/o=rd&x';

// The public halves of tests/fixtures/keys/private, by which clients prove who they are without a secret.
const KEYS = [
  {
    kid: 'p256', use: 'sig', alg: 'ES256', kty: 'EC', crv: 'P-256',
    x: 'n6oxUawn3N0XgCSleo1PwUdm1I-0Mx2SDKxV1GAm6Ow', y: 'brEdTVcIJ9Nspr1ceNwyG0VEfAmaQKkKniFceJi5xic',
  },
  {
    kid: 'rsa', use: 'sig', kty: 'RSA', e: 'AQAB',
    n: '06N-iCSU5n_JkAndc_TgYtGpNjk7RZDIqT3hedKJPSPGlXp7u53T8hhGzC2KIXlqI2wEJUp42pitsHSU_jN3EM7wsJumWR0FceOMGn-UFgnI4CRptuRqaUXR9E-xSZtt-KiYsLnL2MJIPLLCD63i_yN90PkVvnsRHnF2reC0SFobf9S1pYUjZVbCd54ejdtJTzdisUzgnmmYO51auVHinYFx5mOzK9-bPwhUE8tG7-OI_7YhH4cuQkXQS1_4lOSHnmZAjmlmZLo2bsqJq6Cq4VVNGLQqHhivGJqmXdK-I2fhakVlnoRBivB0GDHHhluKeFk7aUu2djHSCjbhdNqpFw',
  },
];

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
  const unattended = { grant_types: ['client_credentials', TOKEN_EXCHANGE, JWT_BEARER], redirect_uris: [], response_types: [] };
  const program = (client_id) => ({ ...unattended, client_id, client_secret: SECRET });
  const told = backchannelLogout && { backchannel_logout_uri: backchannelLogout, backchannel_logout_session_required: true };
  return [
    { ...web, ...told, client_id: 'web', token_endpoint_auth_method: 'client_secret_basic' },
    { ...web, client_id: 'web-post', token_endpoint_auth_method: 'client_secret_post' },
    { ...web, client_id: 'web-odd', client_secret: ODD_SECRET, token_endpoint_auth_method: 'client_secret_basic' },
    { ...web, client_id: 'web-csjwt', token_endpoint_auth_method: 'client_secret_jwt' },
    { ...open, client_id: 'web-pkjwt', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: KEYS } },
    { ...open, client_id: 'spa', token_endpoint_auth_method: 'none' },
    signedWith('web-es256', 'ES256'),
    signedWith('web-es384', 'ES384'),
    signedWith('web-eddsa', 'EdDSA'),
    signedWith('web-ps256', 'PS256'),
    program('orders'),
    program('reports'),
    { ...program('orders-post'), token_endpoint_auth_method: 'client_secret_post' },
    { ...unattended, client_id: 'orders-pkjwt', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: KEYS } },
  ];
}
