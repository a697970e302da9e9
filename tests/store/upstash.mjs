// Speaks Upstash's REST dialect to a Redis, on this machine's own address alone.
//
//   TOKEN=... PORT=8079 REDIS_URL=redis://:password@127.0.0.1:6379 node upstash.mjs
import { serve } from '@hono/node-server';
import { createApp } from '@humanwhocodes/upstash-redis-server';

const { TOKEN: token, PORT: port, REDIS_URL: redisUrl } = process.env;

serve({ fetch: createApp({ token, redisUrl }).fetch, hostname: '127.0.0.1', port: Number(port) }, () => {
  console.log(`ready http://127.0.0.1:${port}`);
});
