// An OpenID provider for the demo and the tests: a certified library with real users, and switches to pull while it runs.
//
//   ISSUER=http://op.localhost:9000 PORT=9000 RP=http://app.localhost:10000 node provider.mjs
//
// HOST is the address to listen on (127.0.0.1), RP the relying parties, separated by commas, CLIENT_SECRET the clients' secret
// (clients.mjs has one for tests), BACKCHANNEL_LOGOUT the address that is told who has logged out. With TLS_PORT it listens there as
// well, with the certificate in the file TLS_CERTIFICATE and its key in TLS_KEY. It prints `ready <issuer>` when it listens, and ends
// when its standard input ends: whoever started it cannot leave it behind.
//
// Switches, all JSON over HTTP:
//   POST   /admin/set     {"accessTtl": 5, "faults": {"/token": {"status": 503, "times": 1}}}    see settings.mjs, faults.mjs
//   POST   /admin/rotate  {"mode": "add" | "next" | "replace"}                                  see keys.mjs
//   GET    /admin/log     {"counts": {"/jwks": 1}, "requests": [...]}; DELETE empties it        see journal.mjs
//   POST   /admin/reset   default settings, empty log, nobody logged in; the keys stay
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { inject } from './faults.mjs';
import * as journal from './journal.mjs';
import { fresh, rotated } from './keys.mjs';
import { build } from './library.mjs';
import { login } from './login.mjs';
import { settingsFor } from './settings.mjs';
import * as store from './store.mjs';

const { ISSUER, PORT, HOST = '127.0.0.1', RP = '', TLS_PORT, TLS_CERTIFICATE, TLS_KEY } = process.env;
if (!ISSUER || !PORT) {
  console.error('ISSUER and PORT are needed, for example ISSUER=http://op.localhost:9000 PORT=9000');
  process.exit(2);
}

const { settings, set, reset } = settingsFor(RP.split(',').filter(Boolean));
let keys = await fresh();
let provider;
let serve;
// The library has no way to change keys or clients of a running provider, but a new one on the same store is as good.
function rebuild() {
  provider = build({ issuer: ISSUER, keys, settings });
  serve = provider.callback();
}
rebuild();

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function admin(request, response, path) {
  let text = '';
  for await (const chunk of request) text += chunk;
  const body = text ? JSON.parse(text) : {};
  switch (`${request.method} ${path}`) {
    case 'POST /admin/set':
      set(body);
      rebuild();
      return json(response, 200, settings);
    case 'POST /admin/rotate':
      keys = await rotated(keys, body.mode);
      rebuild();
      return json(response, 200, { kids: keys.map(({ kid }) => kid) });
    case 'GET /admin/log': return json(response, 200, journal.read());
    case 'DELETE /admin/log':
      journal.clear();
      return json(response, 200, {});
    case 'POST /admin/reset':
      reset();
      journal.clear();
      store.clear();
      rebuild();
      return json(response, 200, {});
    default: return json(response, 404, { error: `there is no ${request.method} ${path}` });
  }
}

function answer(request, response) {
  const path = request.url.split('?')[0];
  const failed = (error) => (response.headersSent ? response.destroy() : json(response, 400, { error: error.message }));
  if (path.startsWith('/admin/')) return void admin(request, response, path).catch(failed);
  journal.note(request, response);
  // Addresses in answers start with the issuer, by whatever name the request came in.
  request.headers.host = new URL(ISSUER).host;
  return void inject(settings.faults, path, request, response, () => (
    path.startsWith('/interaction/') ? login(provider, request, response).catch(failed) : serve(request, response)));
}

function listening(server, port) {
  return new Promise((resolve) => {
    server.on('error', (error) => {
      console.error(`cannot listen on ${HOST}:${port}: ${error.message}`);
      process.exit(1);
    });
    server.listen(Number(port), HOST, resolve);
  });
}

await listening(createServer(answer), PORT);
if (TLS_PORT) {
  const certificate = { cert: readFileSync(TLS_CERTIFICATE), key: readFileSync(TLS_KEY) };
  await listening(createTlsServer(certificate, answer), TLS_PORT);
}
console.log(`ready ${ISSUER}`);

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
