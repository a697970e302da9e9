// What the provider was asked. Tests count requests here and look into what the client sent to the token endpoint.
const LIMIT = 5000;
const entries = [];

/** Notes a request and, when it has been answered, the status. */
export function note(request, response) {
  const path = request.url.split('?')[0];
  const entry = { method: request.method, path, query: request.url.slice(path.length + 1), headers: request.headers, status: null };
  entries.push(entry);
  if (entries.length > LIMIT) entries.shift();
  response.on('finish', () => { entry.status = response.statusCode; });
  if (path === '/token' || path.startsWith('/token/')) keepForm(request, entry);
}

// The library reads the stream itself, so the body is copied as the parser hands it over instead of being read here.
function keepForm(request, entry) {
  const chunks = [];
  const push = request.push.bind(request);
  request.push = (chunk, encoding) => {
    if (chunk) chunks.push(chunk);
    else entry.form = parameters(Buffer.concat(chunks).toString('utf8'));
    return push(chunk, encoding);
  };
}

// A parameter that comes several times is a list.
function parameters(text) {
  const form = new URLSearchParams(text);
  return Object.fromEntries([...form.keys()].map((name) => {
    const values = form.getAll(name);
    return [name, values.length === 1 ? values[0] : values];
  }));
}

/** All requests, oldest first, and how many there were for each path. */
export function read() {
  const counts = {};
  for (const { path } of entries) counts[path] = (counts[path] ?? 0) + 1;
  return { counts, requests: [...entries] };
}

export function clear() { entries.length = 0; }
