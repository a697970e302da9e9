// The login form, between the library's authorization endpoint and its callback.
import { loginPage } from './pages.mjs';
import { knows, names } from './users.mjs';

const html = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(body);
};

async function form(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

/** Shows the form (GET) or reads it (POST). */
export async function login(provider, request, response) {
  const { uid, params } = await provider.interactionDetails(request, response);
  const about = { action: `/interaction/${uid}`, client: params.client_id, known: names };
  if (request.method !== 'POST') return html(response, 200, loginPage({ ...about, login: params.login_hint }));
  const fields = await form(request);
  const name = fields.get('login') ?? '';
  if (!knows(name, fields.get('password') ?? '')) return html(response, 401, loginPage({ ...about, login: name, refused: true }));
  // Whoever has a password is believed to have everything else that was asked for.
  const acr = params.acr_values?.split(' ')[0] ?? 'password';
  return provider.interactionFinished(request, response, { login: { accountId: name, acr } });
}
