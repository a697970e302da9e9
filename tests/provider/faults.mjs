// Answers that a provider should not give, on request: {"/token": {"status": 503, "times": 1}}.
//   times    how many requests it hits (all, when absent)
//   delay    milliseconds to wait first
//   status, headers, body   the answer; without a status the provider answers itself after the delay
//   hang     never answer          drop     close the connection
export function inject(faults, path, request, response, otherwise) {
  const fault = faults[path];
  if (!fault || fault.times === 0) return otherwise();
  if (fault.times !== undefined) fault.times -= 1;
  if (fault.hang) return undefined;
  const act = () => {
    if (fault.drop) return request.socket.destroy();
    if (fault.status === undefined) return otherwise();
    response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
    return response.end(fault.body ?? '{"error":"temporarily_unavailable"}');
  };
  return fault.delay ? setTimeout(act, fault.delay) : act();
}
