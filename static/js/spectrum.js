// Below the waveform of a recording: its window in numbers, and the spectrum of it. waveform.js says which window, and
// when.

import { spectrumChart } from "./charts/spectrum_chart.js";
import { rounded, write } from "./rounding.js";
import { count, fill } from "./texts.js";

const panel = document.getElementById("spectrum");
const text = JSON.parse(document.getElementById("waveform-text").textContent);
const place = (name) => panel.querySelector(`[data-${name}]`);

const chosen = () => [...document.querySelectorAll("#waveform-form [name=states]:checked")].map((box) => box.value);

function orders({ rated_rpm: rpm }) {
  const words = rpm ? fill(text.orders, { rpm: count(rpm), hertz: rounded(rpm / 60) }) : text.no_orders;
  return { words, known: rpm !== null };
}

function showFeatures({ start, end, samples, samples_read: read, parts, features }) {
  const numbers = { start, end, samples: count(samples) };
  place("window").textContent = samples ? fill(samples === 1 ? text.window_one : text.window, numbers) : text.no_window;
  place("in-parts").textContent =
    read < samples ? fill(text.in_parts, { read: count(read), parts: count(parts) }) : "";
  for (const row of panel.querySelectorAll("[data-features]")) {
    for (const cell of row.querySelectorAll("[data-feature]")) {
      write(cell, features[row.dataset.features][cell.dataset.feature]);
    }
  }
}

export const { wait, clear, read, draw } = spectrumChart(panel, text, {
  chosen,
  take: (body) => body,
  orders,
  answered: showFeatures,
});
