// Reading signed tokens, which the library does for itself only.
import { constants, createPublicKey, verify } from 'node:crypto';

const ALGORITHMS = {
  RS256: { kty: 'RSA', hash: 'sha256' },
  PS256: { kty: 'RSA', hash: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  ES256: { kty: 'EC', hash: 'sha256', dsaEncoding: 'ieee-p1363' },
  ES384: { kty: 'EC', hash: 'sha384', dsaEncoding: 'ieee-p1363' },
  EdDSA: { kty: 'OKP', hash: null },
};

const read = (part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

/** What a token claims that one of these keys has signed and that has not expired; throws for every other one. */
export function verified(token, keys) {
  const [head, body, signature] = token.split('.');
  if (signature === undefined) throw new Error('not a JSON Web Token');
  const { alg, kid } = read(head);
  const known = ALGORITHMS[alg];
  if (!known) throw new Error('signed in a way that is not known');
  const { kty, hash, ...options } = known;
  const fits = (key) => key.kty === kty && (kid === undefined || key.kid === kid);
  const signs = (jwk) => verify(
    hash,
    Buffer.from(`${head}.${body}`),
    { key: createPublicKey({ key: jwk, format: 'jwk' }), ...options },
    Buffer.from(signature, 'base64url'),
  );
  if (!keys.filter(fits).some(signs)) throw new Error('signed by nobody we know');
  const claims = read(body);
  if (!(claims.exp > Date.now() / 1000)) throw new Error('expired');
  return claims;
}
