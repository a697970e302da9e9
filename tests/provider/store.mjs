// What the provider remembers: sessions, codes, tokens. It lives outside the library's object, so that keys and lifetimes can be
// changed (which needs a new library object) while people stay logged in.
const entries = new Map(); // "Model:id" -> { payload, expires }
const grants = new Map(); // grant id -> keys of what was issued under it
const sessions = new Map(); // session uid -> session id

const now = () => Math.floor(Date.now() / 1000);

export class Store {
  constructor(model) { this.model = model; }

  key(id) { return `${this.model}:${id}`; }

  async upsert(id, payload, lifetime) {
    const key = this.key(id);
    entries.set(key, { payload, expires: lifetime ? now() + lifetime : Infinity });
    if (payload.grantId) {
      if (!grants.has(payload.grantId)) grants.set(payload.grantId, new Set());
      grants.get(payload.grantId).add(key);
    }
    if (this.model === 'Session') sessions.set(payload.uid, id);
  }

  async find(id) {
    const entry = entries.get(this.key(id));
    if (entry && entry.expires > now()) return entry.payload;
    entries.delete(this.key(id));
    return undefined;
  }

  async findByUid(uid) { return this.find(sessions.get(uid)); }

  async consume(id) {
    const entry = entries.get(this.key(id));
    if (entry) entry.payload.consumed = now();
  }

  async destroy(id) { entries.delete(this.key(id)); }

  async revokeByGrantId(grantId) {
    for (const key of grants.get(grantId) ?? []) entries.delete(key);
    grants.delete(grantId);
  }
}

/** Forgets everybody. */
export function clear() {
  entries.clear();
  grants.clear();
  sessions.clear();
}
