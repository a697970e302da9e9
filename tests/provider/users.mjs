// The people who can log in. All of them share one password, so that nobody has to look it up.
import { timingSafeEqual, createHash } from 'node:crypto';

export const PASSWORD = 'portero';

const people = {
  alice: { name: 'Alice Example', groups: ['admin', 'staff'], roles: ['admin', 'user'], tenant: 'north' },
  bob: { name: 'Bob Example', groups: ['staff'], roles: ['user'], tenant: 'south' },
  // More groups than a cookie holds.
  big: { name: 'Big Example', groups: Array.from({ length: 200 }, (_, n) => `group-with-a-long-name-${n}`), roles: ['user'], tenant: 'north' },
  // Words that cannot be raw header values.
  uni: { name: 'Üni Éxample', groups: ['Jürgen', '日本', 'a,b "c"'], roles: ['user'], tenant: 'süd' },
};

export const names = Object.keys(people);

const digest = (text) => createHash('sha256').update(text).digest();

/** Whether this is one of our people with the right password. */
export function knows(login, password) {
  return Object.hasOwn(people, login) && timingSafeEqual(digest(password), digest(PASSWORD));
}

/** Everything the provider can say about a person; scopes choose from it. */
export function claimsOf(login) {
  const person = people[login];
  return {
    sub: login,
    name: person.name,
    given_name: person.name.split(' ')[0],
    family_name: person.name.split(' ')[1],
    preferred_username: login,
    email: `${login}@example.test`,
    email_verified: true,
    groups: person.groups,
    realm_access: { roles: person.roles },
    resource_access: { web: { roles: person.roles.map((role) => `web-${role}`) } },
    'https://portero.example/tenant': person.tenant,
  };
}
