// Below the waveform of a recording: its window in numbers, and the spectrum of it. waveform.js says which window, and
// when. A second window, of this recording or another, is drawn over it, with the numbers of both.

import { rounded, write } from "./rounding.js";
import { spectrumPanel } from "./spectra/panel.js";
import { count, fill } from "./texts.js";

const form = document.getElementById("waveform-form");
const panel = document.getElementById("spectrum");
const text = JSON.parse(document.getElementById("waveform-text").textContent);
const place = (name) => panel.querySelector(`[data-${name}]`);
const { withSensor, withRecording, withTitle } = panel.dataset;

const chosen = () => [...form.querySelectorAll("[name=states]:checked")].map((box) => box.value);

form.addEventListener("formdata", ({ formData }) => {
  for (const name of ["with_start", "with_end"]) if (formData.get(name) === "") formData.delete(name);
});

let features = null; // of the window that is shown, by state

function orders({ rated_rpm: rpm }) {
  const words = rpm ? fill(text.orders, { rpm: count(rpm), hertz: rounded(rpm / 60) }) : text.no_orders;
  return { words, known: rpm !== null, hz: rpm && rpm / 60 };
}

function showFeatures({ start, end, samples, samples_read: read, parts, ...answer }) {
  const numbers = { start, end, samples: count(samples) };
  place("window").textContent = samples ? fill(samples === 1 ? text.window_one : text.window, numbers) : text.no_window;
  place("in-parts").textContent =
    read < samples ? fill(text.in_parts, { read: count(read), parts: count(parts) }) : "";
  features = answer.features;
  for (const row of panel.querySelectorAll("[data-features]")) {
    for (const cell of row.querySelectorAll("[data-feature]")) {
      write(cell, features[row.dataset.features][cell.dataset.feature]);
    }
  }
}

// The numbers of the second window, and those of the first over them.
function showSecond({ start, end, samples, features: others }) {
  const numbers = { start, end, samples: count(samples) };
  place("second").textContent = samples ? fill(samples === 1 ? text.window_one : text.window, numbers) : text.no_window;
  for (const row of panel.querySelectorAll("[data-second-features]")) {
    for (const cell of row.querySelectorAll("[data-feature]")) {
      const [state, name] = [row.dataset.secondFeatures, cell.dataset.feature];
      write(cell, others[state][name]);
    }
    for (const cell of row.querySelectorAll("[data-ratio]")) {
      const [state, name] = [row.dataset.secondFeatures, cell.dataset.ratio];
      const [first, other] = [features[state][name], others[state][name]];
      write(cell, first === null || !other ? null : first / other);
    }
  }
}

const secondWindow = () => ({ start: form.elements.with_start.value, end: form.elements.with_end.value });

const second = withRecording === undefined ? null : {
  get name() {
    const { start, end } = secondWindow();
    return start === "" && end === "" ? withTitle : fill(text.second_window, { name: withTitle, start, end });
  },
  url: panel.dataset.url,
  isComparable: () => panel.dataset.withDrawn !== undefined,
  question(asked) {
    asked.set("sensor_no", withSensor);
    asked.set("recording", withRecording);
    const { start, end } = secondWindow();
    if (start === "" && end === "") return asked; // the window of the first
    asked.delete("start");
    asked.delete("end");
    if (start !== "") asked.set("start", start);
    if (end !== "") asked.set("end", end);
    return asked;
  },
  factor: () => 1,
  answered: showSecond,
};

export const { wait, clear, read, draw } = spectrumPanel(panel, form, text, {
  name: panel.dataset.title,
  chosen,
  take: (body) => body,
  orders,
  unit: () => panel.dataset.unit,
  answered: showFeatures,
  second,
  cursorQuestion(asked, view) {
    asked.delete("states");
    asked.set("state", view.text("state") || chosen()[0]);
    return asked;
  },
});
