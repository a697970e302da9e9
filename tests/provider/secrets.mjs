// How clients show their secrets. The library takes a secret from the header and from the form alike; many products hold a client to
// the way it is registered for, and this provider does so with clients of client_secret_post.
export function refuseBasic(provider, registered) {
  const posting = registered.filter((client) => client.token_endpoint_auth_method === 'client_secret_post');
  provider.use(async (ctx, next) => {
    const [scheme, credentials = ''] = ctx.get('authorization').split(' ');
    const [id] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
    if (scheme.toLowerCase() !== 'basic' || !posting.some((client) => client.client_id === id)) return next();
    ctx.status = 401;
    ctx.set('www-authenticate', `Basic realm="${provider.issuer}"`);
    ctx.body = { error: 'invalid_client', error_description: 'client_secret_post is expected' };
    return undefined;
  });
}
