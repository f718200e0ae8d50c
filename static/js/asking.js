// Asking the API: what counts as an answer, and in which words a page says that there is none.
Object.assign(window.himmes, (() => {
  const AGAIN_MS = 3000;
  const LONGEST_WAIT_S = 3600; // beyond some weeks a timer would go off at once
  const timers = new WeakMap(); // of banners

  // {ok, status, body, version, wait}: without a status there was no answer, without a body it was none of ours;
  // `version` is the ETag, if there is one, and `wait` the milliseconds that the server asks to wait. Throws AbortError.
  async function ask(url, query, signal) {
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
  const isShutOut = ({ status }) => status === 401 || status === 403;

  function problem({ status, body, wait }, text) {
    if (!status) return text.away;
    if (status === 503) return text.unavailable ?? text.away; // the database is away, which is the same to a person
    if (status === 401) return text.logged_out;
    if (status === 429) return himmes.fill(text.too_often, { seconds: Math.ceil(wait / 1e3) });
    if ((status === 400 || status === 403) && body) return himmes.fill(text.refused, { reason: reasons(body) });
    if (status === 404) return text.gone;
    return himmes.fill(text.failed, { status });
  }

  const reasons = ({ detail, errors = [] }) =>
    errors.map(({ field, message }) => `${field}: ${message}`).join("; ") || detail;

  // A banner of templates/problem.html.
  function showProblem(banner, answer, text) {
    const loggedOut = answer.status === 401;
    banner.querySelector("[data-error]").textContent = problem(answer, text);
    const retry = banner.querySelector("[data-do=retry]");
    if (retry) retry.hidden = loggedOut;
    const logIn = banner.querySelector("[data-log-in]");
    logIn.hidden = !loggedOut;
    logIn.href = `${banner.dataset.login}?${new URLSearchParams({ next: location.pathname + location.search })}`;
    banner.hidden = false;
  }

  // For pages that ask once: while the server or its database is away, the banner's "Try again" presses itself.
  function tryAgainLater(banner, { status, wait = 0 }) {
    clearTimeout(timers.get(banner));
    if (status && ![429, 502, 503, 504].includes(status)) return;
    const press = () => banner.hidden || banner.querySelector("[data-do=retry]").click();
    timers.set(banner, setTimeout(press, Math.max(AGAIN_MS, wait)));
  }

  return { ask, isShutOut, showProblem, tryAgainLater };
})());
