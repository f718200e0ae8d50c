// The upload page. A file is sent to ask what it is taken for, and sent again with what a person said of it: the server
// keeps nothing in between. Files are sent one after the other, as the server takes one at a time.

import { drawFirstSecond, forgetCharts } from "./charts/first_second.js";
import { fill } from "./texts.js";

const chooser = document.getElementById("upload-form");
const list = document.getElementById("uploads");
const template = document.getElementById("upload-template");
const storeAll = document.querySelector("[data-store-all]");
const text = JSON.parse(document.getElementById("upload-text").textContent);
const token = chooser.elements.csrfmiddlewaretoken.value;
const { preview: previewUrl, store: storeUrl } = chooser.dataset;
const mostBytes = Number(chooser.dataset.most);

const seconds = (count) => new Promise((resolve) => setTimeout(resolve, 1e3 * count));
let last = Promise.resolve(); // the file that is under way, and those that wait

// Each file in its turn.
function inTurn(job) {
  last = last.then(job, job);
  return last;
}

// The request when it is done; without a status there was no answer.
function post(url, data, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "document"; // of the server's templates; nothing in it is run
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 1));
    request.addEventListener("loadend", () => resolve(request));
    request.send(data);
  });
}

// What of an answer is shown; null when it is none of this page, as a proxy or a login has sent it.
function partOf({ status, response }) {
  return [200, 400].includes(status) ? (response?.querySelector("[data-upload]") ?? null) : null;
}

function why(request) {
  if (!request.status) return text.away;
  if (request.status === 413) return text.too_large;
  if (request.status === 401 || request.responseURL.includes(chooser.dataset.login)) return text.logged_out;
  return fill(text.failed, { status: request.status });
}

function take(file) {
  const panel = template.content.firstElementChild.cloneNode(true);
  const place = (name) => panel.querySelector(`[data-${name}]`);
  const bar = panel.querySelector("progress");
  let again = null; // what "Try again" does
  place("name").textContent = file.name;
  list.append(panel);

  function say(words, share = null) {
    place("said").textContent = words;
    if (share === null) bar.removeAttribute("value"); // it moves by itself
    else bar.value = 100 * share;
  }

  function refuse(words) {
    place("progress").hidden = true;
    place("error").textContent = words;
    place("problem").hidden = false;
  }

  function show(part, isAsked) {
    const form = place("answer").querySelector("form");
    document.adoptNode(part);
    if (part.dataset.upload === "refused" && form) {
      // What was said stays, to be mended.
      form.querySelector("[data-upload]")?.remove();
      form.prepend(part);
    } else place("answer").replaceChildren(part);
    forgetCharts();
    const drawn = part.querySelector("script[type='application/json']");
    const canvases = part.querySelectorAll(".first-second canvas");
    if (drawn) JSON.parse(drawn.textContent).forEach((it, index) => drawFirstSecond(canvases[index], it, text));
    if (isAsked) (part.querySelector("[data-focus]") ?? panel.querySelector("h2")).focus();
    offerAll();
  }

  async function send(url, fields) {
    fields.append("csrfmiddlewaretoken", token);
    fields.append("modified", file.lastModified);
    fields.append("file", file);
    let request;
    for (;;) {
      say(fill(text.sending, { percent: 0 }), 0);
      request = await post(url, fields, (share) => {
        say(share < 1 ? fill(text.sending, { percent: Math.floor(100 * share) }) : text.reading, share < 1 ? share : null);
      });
      const wait = Number(request.getResponseHeader("Retry-After"));
      if (request.status !== 503 || !wait) return request;
      say(fill(text.busy, { seconds: wait }));
      await seconds(wait);
    }
  }

  // Sends the file with these fields when its turn comes, and shows the answer.
  function ask(url, fields, isAsked) {
    again = () => ask(url, fields, isAsked);
    const enabled = [...panel.querySelectorAll("button:enabled")];
    for (const button of enabled) button.disabled = true;
    place("problem").hidden = true;
    place("progress").hidden = false;
    say(text.waits);
    return inTurn(async () => {
      const request = await send(url, dataOf(fields));
      const part = partOf(request);
      for (const button of enabled) button.disabled = false;
      if (!part) {
        refuse(why(request));
        return;
      }
      place("progress").hidden = true;
      show(part, isAsked);
    });
  }

  const fieldsOf = (form) => [...new FormData(form)];
  const preview = (form) => ask(previewUrl, fieldsOf(form), true);

  panel.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    // Enter in a field that changes what is taken: it is looked at first.
    if (form.querySelector("[data-do=store]").disabled) preview(form);
    else ask(storeUrl, fieldsOf(form), true);
  });
  panel.addEventListener("input", ({ target }) => {
    if (target.dataset.asks === undefined && target.dataset.reshapes === undefined) return;
    target.form.querySelector("[data-do=store]").disabled = true;
    const stale = target.form.querySelector("[data-stale]");
    stale.hidden = false;
    offerAll();
  });
  panel.addEventListener("change", ({ target }) => {
    if (target.dataset.asks !== undefined) preview(target.form);
  });
  panel.addEventListener("click", ({ target }) => {
    if (target.dataset.do === "preview") preview(target.form);
    if (target.dataset.do === "retry") again();
  });

  if (file.size > mostBytes) refuse(text.too_large);
  else ask(previewUrl, [], false);
}

// A form's data of its entries: they are sent more than once.
function dataOf(entries) {
  const data = new FormData();
  for (const [name, value] of entries) data.append(name, value);
  return data;
}

const ready = () => [...list.querySelectorAll("[data-do=store]:enabled")];

function offerAll() {
  storeAll.hidden = ready().length < 2;
}

storeAll.addEventListener("click", () => {
  for (const button of ready()) button.form.requestSubmit(button);
});

function takeChosen() {
  const { files } = chooser.elements;
  for (const file of files.files) take(file);
  files.value = ""; // so that the same file can be chosen again
}
chooser.elements.files.addEventListener("change", takeChosen);
chooser.addEventListener("submit", (event) => event.preventDefault());

// Anywhere on the page: beside the zone a browser would open the file, and leave the page.
const zone = chooser.querySelector(".drop-zone");
addEventListener("dragover", (event) => {
  event.preventDefault();
  zone.dataset.over = "";
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) delete zone.dataset.over;
});
addEventListener("drop", (event) => {
  event.preventDefault();
  delete zone.dataset.over;
  for (const file of event.dataTransfer.files) take(file);
});

takeChosen(); // before this script was there
