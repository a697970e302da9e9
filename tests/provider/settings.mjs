// What a test may change while the provider runs.
import { RESOURCE } from './resources.mjs';

const defaults = (relyingParties) => ({
  relyingParties, // addresses whose /oauth2/callback is registered
  accessTtl: 300, // lifetimes, in seconds
  idTtl: 300,
  refreshTtl: 3600,
  sessionTtl: 3600,
  codeTtl: 60,
  refreshToken: 'always', // "always", or "offline_access": only for those who ask for that scope
  rotateRefreshToken: true, // a refresh token serves once; a second use revokes all of its kin
  accessFormat: 'opaque', // "jwt": access tokens are signed, for the audience `accessAudience` (userinfo refuses these)
  accessAlg: 'RS256',
  accessAudience: RESOURCE,
  resourceTtl: 300, // of programs' access tokens, and of all that are for another resource: these are signed, and for that resource
  pkceRequired: true,
  backchannelLogout: process.env.BACKCHANNEL_LOGOUT ?? '', // where the client `web` is told who has logged out; nowhere, when empty
  faults: {}, // path -> { times, delay, status, headers, body, hang, drop }
});

export function settingsFor(relyingParties) {
  const settings = defaults(relyingParties);
  return {
    settings,
    /** Takes the given switches; a word that is none is refused, so that a misspelt test fails. */
    set(changes) {
      for (const word of Object.keys(changes)) {
        if (!Object.hasOwn(settings, word)) throw new Error(`"${word}" is not a setting; accepted: ${Object.keys(settings).join(', ')}`);
      }
      Object.assign(settings, changes);
    },
    reset() { Object.assign(settings, defaults(relyingParties)); },
  };
}
