// What stands behind the gateway in the demo: a page that greets the caller and shows what arrived.
//
//   PORT=9001 node upstream.mjs
//
// A browser gets the page; everybody else gets JSON: {"method", "path", "headers": [[name, value], ...], "body_length"}, with the
// headers as they came, repeated ones included. Values are read as Latin-1, one character per byte. It ends with its standard input.
import { createServer } from 'node:http';

const { PORT, HOST = '127.0.0.1' } = process.env;
if (!PORT) {
  console.error('PORT is needed, for example PORT=9001');
  process.exit(2);
}

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

function pairs(raw) {
  const list = [];
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i], raw[i + 1]]);
  return list;
}

const value = (headers, name) => headers.find(([key]) => key.toLowerCase() === name)?.[1];

// UTF-8 where it is UTF-8, else the bytes as Latin-1.
function readable(text) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    return text;
  }
}

// The user information arrives as JSON in base64, with either alphabet.
function userinfo(headers) {
  try {
    return JSON.parse(Buffer.from(value(headers, 'x-userinfo') ?? '', 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --ground: #f4f5f7; --card: #fff; --line: #d0d7de; --strong: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a8b0ba; --ground: #16181c; --card: #202329; --line: #3a4048; --strong: #8ab4f8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2rem 1rem; }
section { background: var(--card); border-radius: .75rem; padding: 1.5rem; margin-top: 1.5rem; overflow-x: auto; }
h1 { margin: 0; font-size: 1.75rem; } h2 { margin: 0 0 .75rem; font-size: 1.125rem; }
p { margin: .25rem 0 0; color: var(--soft); }
a { color: var(--strong); }
table { border-collapse: collapse; width: 100%; margin-top: .75rem; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .375rem .75rem .375rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { white-space: nowrap; font-weight: 600; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
`;

function page({ method, path, headers, body_length: length }) {
  const about = userinfo(headers);
  const user = value(headers, 'x-user');
  const name = about?.name ?? (user && readable(user));
  const rows = headers.map(([key, text]) => `<tr><th scope="row">${escape(key)}</th><td>${escape(readable(text))}</td></tr>`).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name ? `Hello, ${escape(name)}` : 'Hello'}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1 id="hello">Hello, ${name ? escape(name) : 'stranger'}</h1>
<p>${name ? 'The gateway says who you are.' : 'The gateway did not say who you are.'} <a href="/oauth2/logout">Log out</a></p>
${about ? `<section aria-labelledby="about"><h2 id="about">What the provider says about you</h2>\n<pre>${escape(JSON.stringify(about, null, 2))}</pre></section>` : ''}
<section aria-labelledby="request"><h2 id="request">What reached the application</h2>
<p>${escape(method)} ${escape(path)}, ${length} bytes of body</p>
<table><caption hidden>Request headers</caption>
<tbody>
${rows}
</tbody></table></section>
</main>
</body>
</html>
`;
}

const server = createServer(async (request, response) => {
  let length = 0;
  for await (const chunk of request) length += chunk.length;
  const seen = { method: request.method, path: request.url, headers: pairs(request.rawHeaders), body_length: length };
  const wantsPage = /text\/html/.test(request.headers.accept ?? '');
  response.writeHead(200, { 'content-type': wantsPage ? 'text/html; charset=utf-8' : 'application/json', 'cache-control': 'no-store' });
  response.end(wantsPage ? page(seen) : `${JSON.stringify(seen)}\n`);
});

server.on('error', (error) => {
  console.error(`cannot listen on ${HOST}:${PORT}: ${error.message}`);
  process.exit(1);
});
server.listen(Number(PORT), HOST, () => console.log(`ready http://${HOST}:${PORT}`));

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
