// The pages people see: log in, log out, and what went wrong.
const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --ground: #f4f5f7; --card: #fff; --line: #868e99; --strong: #0b57d0; --on-strong: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a8b0ba; --ground: #16181c; --card: #202329; --line: #7b8490; --strong: #8ab4f8; --on-strong: #0b1f3a; --bad: #ffb4ab; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(24rem, 100%); background: var(--card); border-radius: .75rem; padding: 2rem; }
h1 { font-size: 1.375rem; margin: 0 0 .25rem; }
p { margin: 0 0 1.25rem; color: var(--soft); }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input { width: 100%; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .375rem; padding: .5rem .75rem; margin-bottom: 1rem; }
button { width: 100%; font: inherit; font-weight: 600; border: 0; border-radius: .375rem; padding: .625rem 1rem; background: var(--strong); color: var(--on-strong); cursor: pointer; }
button.quiet { background: transparent; color: inherit; border: 1px solid var(--line); margin-top: .75rem; }
:focus-visible { outline: 3px solid var(--strong); outline-offset: 2px; }
.error { color: var(--bad); font-weight: 600; }
code { font-size: .875em; }
`;

const page = (title, content) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`;

export function loginPage({ action, client, login = '', refused = false, known }) {
  const wrong = refused ? '<p class="error" role="alert" id="error">User name or password is wrong. Please try again.</p>' : '';
  const described = refused ? ' aria-invalid="true" aria-describedby="error"' : '';
  return page(refused ? 'Error: Log in' : 'Log in', `<h1>Log in</h1>
<p>to go on to <strong>${escape(client)}</strong></p>
${wrong}
<form method="post" action="${escape(action)}">
<label for="login">User name</label>
<input id="login" name="login" value="${escape(login)}" autocomplete="username" autocapitalize="none" spellcheck="false" required${described}${refused ? '' : ' autofocus'}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${described}${refused ? ' autofocus' : ''}>
<button type="submit">Log in</button>
</form>
<p style="margin:1.25rem 0 0">This is a test provider. It knows ${known.map((name) => `<code>${escape(name)}</code>`).join(', ')}.</p>`);
}

/** The library brings the form; its buttons only have to name it. */
export const logoutPage = (form) => page('Log out', `<h1>Log out</h1>
<p>Do you want to log out of the provider, too?</p>
${form}
<button type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Log out</button>
<button type="submit" form="op.logoutForm" class="quiet">Stay logged in</button>`);

export const loggedOutPage = () => page('Logged out', '<h1>Logged out</h1>\n<p style="margin:0">You are no longer logged in here.</p>');

export const errorPage = ({ error, error_description: description }) => page('Error', `<h1>This did not work</h1>
<p class="error" role="alert">${escape(description ?? error)}</p>
<p style="margin:0">Code: <code>${escape(error)}</code></p>`);
