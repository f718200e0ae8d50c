// Buttons that do something about an alarm: what became of it is told beside them, and nothing is sent twice.

const form = document.getElementById("act"); // of the buttons that acknowledge; on the page of one alarm there is none
const told = document.getElementById("told");
const isOurs = (event) => form !== null && event.detail.requestConfig.elt === form;

document.addEventListener("htmx:beforeSwap", (event) => {
  if (isOurs(event) && [400, 409].includes(event.detail.xhr.status)) event.detail.shouldSwap = true; // it says why
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!isOurs(event)) return;
  const { xhr, successful } = event.detail;
  if (successful || [400, 409].includes(xhr?.status)) return;
  if ([401, 403, 404].includes(xhr?.status)) location.reload(); // the login, the role or the alarm is gone
  else told.replaceChildren(Object.assign(document.createElement("p"), { className: "alert alert-danger", textContent: form.dataset.failed }));
});

// A form of the page of one alarm is sent once; a page that comes back from the browser's memory may send again.
const sent = new Set();
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".act-form")) return;
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
});
addEventListener("pageshow", () => sent.clear());
