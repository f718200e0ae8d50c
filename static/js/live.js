// What htmx leaves open on pages that keep themselves up to date: it asks no more than somebody can see, says when the
// server was last heard of, and tells when it is away.

const banner = document.getElementById("away");
const clock = document.querySelector("[data-checked]");
const format = new Intl.DateTimeFormat(document.documentElement.lang, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZone: clock?.dataset.zone,
});
let lastAnswer = new Date();
let askFrom = 0; // not before this instant: the server has asked to wait

function heard() {
  lastAnswer = new Date();
  if (banner) banner.hidden = true;
  if (clock) clock.textContent = format.format(lastAnswer);
  document.documentElement.removeAttribute("data-away");
}

function away() {
  if (!banner) return;
  banner.querySelector("[data-last-answer]").textContent = format.format(lastAnswer);
  banner.hidden = false;
  document.documentElement.setAttribute("data-away", "");
}

const isLive = (event) => event.target.closest?.("[data-live]") || event.detail.elt?.closest?.("[data-live]");

document.addEventListener("htmx:beforeRequest", (event) => {
  if ((document.hidden || Date.now() < askFrom) && isLive(event)) event.preventDefault();
});
// The history of a machine is read when it is opened: once, but again after a failure.
document.addEventListener("htmx:beforeRequest", (event) => {
  const box = event.target.closest?.(".machine-history");
  if (box && (!box.closest("details").open || box.dataset.read !== undefined)) event.preventDefault();
});
document.addEventListener("htmx:afterRequest", (event) => {
  const box = event.target.closest?.(".machine-history");
  if (!box) return;
  if (event.detail.successful) box.dataset.read = "";
  else box.querySelector(".field-error").hidden = false;
});
document.addEventListener("htmx:beforeSwap", (event) => {
  // Logged out: the answer is the login page, which has no place in the middle of this one.
  const { xhr, requestConfig } = event.detail;
  const asked = new URL(requestConfig.path, location).pathname;
  if (xhr.responseURL && new URL(xhr.responseURL).pathname !== asked) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!isLive(event)) return;
  const { xhr, successful } = event.detail;
  if (successful) {
    heard();
  } else if ([401, 403, 404].includes(xhr?.status)) {
    location.reload(); // the login, the role or the machine is gone; the page says so
  } else {
    if (xhr?.status === 429) askFrom = Date.now() + 1e3 * xhr.getResponseHeader("Retry-After") || 0;
    away();
  }
});
document.addEventListener("DOMContentLoaded", heard);
