// The OpenID provider proper: the library oidc-provider, told about our people, clients, keys and settings.
import Provider, { interactionPolicy } from 'oidc-provider';
import { clients } from './clients.mjs';
import { allowJwtBearer } from './jwt_bearer.mjs';
import { ALGORITHMS } from './keys.mjs';
import { errorPage, loggedOutPage, logoutPage } from './pages.mjs';
import { RESOURCE, resourceServer } from './resources.mjs';
import { refuseBasic } from './secrets.mjs';
import { Store } from './store.mjs';
import { allowTokenExchange } from './token_exchange.mjs';
import { claimsOf, names } from './users.mjs';

const TENANT = 'https://portero.example/tenant';

export function build({ issuer, keys, settings }) {
  const wantsRefresh = (code) => settings.refreshToken === 'always' || code.scopes.has('offline_access');
  const registered = clients(settings);
  const provider = new Provider(issuer, {
    adapter: Store,
    clients: registered,
    jwks: { keys },
    cookies: { keys: ['only-for-tests'] },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups', 'roles'],
    claims: {
      openid: ['sub'],
      profile: ['name', 'given_name', 'family_name', 'preferred_username', TENANT],
      email: ['email', 'email_verified'],
      groups: ['groups'],
      roles: ['realm_access', 'resource_access'],
    },
    // Claims of a scope also stand in the ID token, as most products do it.
    conformIdTokenClaims: false,
    findAccount: async (_, id) => (names.includes(id) ? { accountId: id, claims: async () => claimsOf(id) } : undefined),
    acrValues: ['password', 'gold'],
    interactions: { policy: policy(), url: (_, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: consent,
    issueRefreshToken: async (_, client, code) => client.grantTypeAllowed('refresh_token') && wantsRefresh(code),
    rotateRefreshToken: () => settings.rotateRefreshToken,
    expiresWithSession: async (_, code) => !code.scopes.has('offline_access'),
    pkce: { required: () => settings.pkceRequired },
    extraTokenClaims: async (_, token) => {
      const act = token.actor && { act: { sub: token.actor } };
      if (!names.includes(token.accountId)) return act;
      const { sub: __, name: ___, ...claims } = claimsOf(token.accountId);
      return { ...claims, ...act };
    },
    ttl: {
      AccessToken: () => settings.accessTtl,
      ClientCredentials: () => settings.resourceTtl,
      IdToken: () => settings.idTtl,
      RefreshToken: () => settings.refreshTtl,
      Session: () => settings.sessionTtl,
      Grant: () => settings.sessionTtl,
      AuthorizationCode: () => settings.codeTtl,
      Interaction: () => 600,
    },
    enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: async () => true },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) => { ctx.body = logoutPage(form); },
        postLogoutSuccessSource: async (ctx) => { ctx.body = loggedOutPage(); },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_, __, oneOf) => oneOf ?? (settings.accessFormat === 'jwt' ? RESOURCE : undefined),
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_, identifier) => resourceServer(identifier, settings),
      },
    },
    fetch: tell,
    renderError: async (ctx, out) => {
      if (ctx.accepts('html', 'json') === 'html') { ctx.type = 'html'; ctx.body = errorPage(out); }
      else ctx.body = out;
    },
  });
  refuseBasic(provider, registered);
  allowTokenExchange(provider, { keys, settings });
  const signers = (id) => registered.find((client) => client.client_id === id)?.jwks?.keys ?? [];
  allowJwtBearer(provider, { signers, settings });
  for (const name of ['server_error', 'authorization.error', 'grant.error', 'userinfo.error', 'end_session.error', 'backchannel.error']) {
    provider.on(name, (_, error) => console.error(name, error.error ?? error.message, error.error_description ?? '', error.error_detail ?? ''));
  }
  return provider;
}

// Calls of the provider's own, which are about logouts only. The library's dispatcher keeps them away from private addresses, and here
// everything is on this machine: names below localhost too, whatever the resolver knows of them.
function tell(url, { dispatcher: _, ...options }) {
  const to = new URL(url);
  if (to.hostname.endsWith('.localhost')) to.hostname = '127.0.0.1';
  return fetch(to, options);
}

// The library takes `acr_values` for a wish. Most products take them for an order, and ask the person again.
function policy() {
  const { base, Check } = interactionPolicy;
  const prompts = base();
  prompts.get('login').checks.add(new Check('acr_values', 'another authentication is needed', ({ oidc }) => {
    const asked = oidc.params.acr_values?.split(' ') ?? [];
    return asked.length === 0 || asked.includes(oidc.acr) ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
  }));
  return prompts;
}

// Nobody is asked for consent: whoever logs in has given it.
async function consent({ oidc }) {
  const { Grant } = oidc.provider;
  const known = oidc.session.grantIdFor(oidc.client.clientId);
  const grant = (known && await Grant.find(known)) ?? new Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope(oidc.params.scope);
  await grant.save();
  return grant;
}
