// Questions to the API, and what counts as an answer.

const LONGEST_WAIT_S = 3600; // beyond some weeks a timer would go off at once

// {ok, status, body, version, wait}: without a status there was no answer, without a body it was none of ours;
// `version` is the ETag, if there is one, and `wait` the milliseconds that the server asks to wait. Throws AbortError.
export async function ask(url, query, signal) {
  try {
    // no-cache: the browser asks with the version that it has, and gives its copy when that is still so.
    const response = await fetch(`${url}?${query}`, { signal, cache: "no-cache" });
    // A proxy in between may answer with a page of its own.
    const ours = /^application\/(problem\+)?json/.test(response.headers.get("Content-Type"));
    return {
      ok: ours && response.ok,
      status: response.redirected && !ours ? 401 : response.status, // led to a login, as by a proxy in between
      body: ours ? await response.json() : undefined,
      version: response.headers.get("ETag"),
      wait: 1e3 * Math.min(LONGEST_WAIT_S, Number(response.headers.get("Retry-After")) || 0),
    };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return { ok: false }; // no connection, or it broke off
  }
}

// The login or the right is gone: to ask again by itself would only use up what its address may ask.
export const isShutOut = ({ status }) => status === 401 || status === 403;
