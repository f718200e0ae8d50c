// The banner of templates/problem.html: in which words a page says that there is no answer.

import { fill } from "./texts.js";

const AGAIN_MS = 3000;
const timers = new WeakMap(); // of banners

function problem({ status, body, wait }, text) {
  if (!status) return text.away;
  if (status === 503) return text.unavailable ?? text.away; // the database is away, which is the same to a person
  if (status === 401) return text.logged_out;
  if (status === 429) return fill(text.too_often, { seconds: Math.ceil(wait / 1e3) });
  if ((status === 400 || status === 403) && body) return fill(text.refused, { reason: reasons(body) });
  if (status === 404) return text.gone;
  return fill(text.failed, { status });
}

const reasons = ({ detail, errors = [] }) =>
  errors.map(({ field, message }) => `${field}: ${message}`).join("; ") || detail;

export function showProblem(banner, answer, text) {
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
export function tryAgainLater(banner, { status, wait = 0 }) {
  clearTimeout(timers.get(banner));
  if (status && ![429, 502, 503, 504].includes(status)) return;
  const press = () => banner.hidden || banner.querySelector("[data-do=retry]").click();
  timers.set(banner, setTimeout(press, Math.max(AGAIN_MS, wait)));
}
