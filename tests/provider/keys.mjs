// The provider's signing keys. The first key of an algorithm is the one that signs; all of them are published.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);
const KINDS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
  EdDSA: ['ed25519', {}],
};
export const ALGORITHMS = Object.keys(KINDS);

let serial = 0;

/** One new key for every algorithm. */
export async function fresh() {
  serial += 1;
  const kid = serial;
  return Promise.all(Object.entries(KINDS).map(async ([alg, [type, options]]) => {
    const { privateKey } = await generate(type, options);
    return { ...privateKey.export({ format: 'jwk' }), kid: `${alg.toLowerCase()}-${kid}`, alg, use: 'sig' };
  }));
}

/**
 * The key set after a rotation.
 *   add      new keys sign, the old ones stay published
 *   next     new keys are published, the old ones still sign
 *   replace  new keys sign, the old ones are gone
 */
export async function rotated(old, mode) {
  const added = await fresh();
  switch (mode) {
    case 'add': return [...added, ...old];
    case 'next': return [...old, ...added];
    case 'replace': return added;
    default: throw new Error(`mode is "${mode}"; accepted: add, next, replace`);
  }
}
