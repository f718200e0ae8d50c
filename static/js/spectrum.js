// Below the waveform: its window in numbers, and the spectrum of it. waveform.js says which window, and when.

import { ask } from "./api.js";
import { applyTheme, stateColour } from "./charts/colours.js";
import { lineOptions, lineTooltip } from "./charts/line_charts.js";
import { STATES, paintSwatches } from "./charts/state_looks.js";
import { showProblem, tryAgainLater } from "./problem_banner.js";
import { count, fill } from "./texts.js";

const PEAK_RADIUS_PX = 7;
const NONE = "–";
const MIN_SAMPLES = 16; // as in vibration/numbers/spectrum.py

const panel = document.getElementById("spectrum");
const text = JSON.parse(document.getElementById("waveform-text").textContent);
const banner = panel.querySelector("[role=alert]");
const place = (name) => panel.querySelector(`[data-${name}]`);
const canvas = panel.querySelector(".canvas-box canvas");
const rows = place("peaks").tBodies[0];

let asked = null; // the last question, to repeat it
let answer = null; // the last one of the API
let reading = null; // the AbortController of the request under way

const language = document.documentElement.lang;
const plain = new Intl.NumberFormat(language, { maximumSignificantDigits: 4 });
const scientific = new Intl.NumberFormat(language, { maximumSignificantDigits: 4, notation: "scientific" });
const full = new Intl.NumberFormat(language, { minimumSignificantDigits: 4, maximumSignificantDigits: 4 });
const fixed = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function rounded(number, usual = plain) {
  const size = Math.abs(number);
  return (size && (size < 1e-4 || size >= 1e6) ? scientific : usual).format(number);
}

const withUnit = (value) => (panel.dataset.unit ? `${value} ${panel.dataset.unit}` : value);

// --- Reading -------------------------------------------------------------------------------------------------------

// A new window is being read: what is still to come of the old one is not wanted any more.
export function wait() {
  reading?.abort();
  panel.setAttribute("aria-busy", "true");
}

// There is no window to speak of.
export function clear() {
  reading?.abort();
  panel.setAttribute("aria-busy", "false");
  panel.dataset.stale = "";
}

export async function read(question) {
  wait();
  asked = question;
  const mine = (reading = new AbortController());
  let found;
  try {
    found = await ask(panel.dataset.url, question, mine.signal);
    mine.signal.throwIfAborted();
  } catch (error) {
    if (error.name === "AbortError") return;
    throw error;
  }
  panel.setAttribute("aria-busy", "false");
  if (!found.ok) {
    showProblem(banner, found, text);
    tryAgainLater(banner, found);
    panel.dataset.stale = "";
    return;
  }
  delete panel.dataset.stale;
  banner.hidden = true;
  answer = found.body;
  showFeatures();
  showSpectrum();
}

// --- The window in numbers -----------------------------------------------------------------------------------------

// Rounded for the eye, whole for who copies or reads it by program.
function write(cell, number, format = (it) => rounded(it, full)) {
  const value = document.createElement("data");
  value.value = number ?? "";
  value.textContent = number === null ? NONE : format(number);
  cell.replaceChildren(value);
}

function showFeatures() {
  const { start, end, samples, samples_read: read, parts } = answer;
  const numbers = { start, end, samples: count(samples) };
  place("window").textContent = samples ? fill(samples === 1 ? text.window_one : text.window, numbers) : text.no_window;
  place("in-parts").textContent =
    read < samples ? fill(text.in_parts, { read: count(read), parts: count(parts) }) : "";
  for (const row of panel.querySelectorAll("[data-features]")) {
    const features = answer.features[row.dataset.features];
    for (const cell of row.querySelectorAll("[data-feature]")) write(cell, features[cell.dataset.feature]);
  }
}

// --- The spectrum --------------------------------------------------------------------------------------------------

const chosenStates = () =>
  [...document.querySelectorAll("#waveform-form [name=states]:checked")].map((box) => box.value);

function showSpectrum() {
  const { spectrum, spectrum_reason: reason, rated_rpm: rpm, pruned_before: before } = answer;
  place("about").textContent = spectrum ? about(spectrum) : fill(whyNone(reason), { before });
  place("peak-list").hidden = !spectrum;
  place("marks").hidden = true;
  for (const cell of panel.querySelectorAll("[data-order]")) cell.hidden = rpm === null;
  place("orders").textContent = rpm ? fill(text.orders, { rpm: count(rpm), hertz: rounded(rpm / 60) }) : text.no_orders;
  draw();
}

function whyNone(reason) {
  return reason === "too_few_samples" && answer.samples < MIN_SAMPLES ? text.fewer_than_16 : text[reason];
}

function about(spectrum) {
  const { start, end, samples, sections, bins, frequency, is_short: isShort } = spectrum;
  const numbers = {
    samples: count(samples),
    sections: count(sections),
    length: rounded(spectrum.section_length),
    rate: rounded(spectrum.sampling_frequency),
    resolution: rounded(spectrum.resolution),
  };
  const sentences = [fill(sections === 1 ? text.spectrum_one : text.spectrum, numbers)];
  if (isShort) sentences.push(text.short);
  const rest = answer.samples_read - samples;
  if (rest && isShort) sentences.push(fill(text.longest_stretch, { start, end }));
  else if (rest) sentences.push(fill(text.left_out, { samples: count(rest) }));
  if (frequency.length < bins) sentences.push(fill(text.groups, { bins: count(Math.ceil(bins / frequency.length)) }));
  return sentences.join(" ");
}

export function draw() {
  if (!answer?.spectrum) return;
  const { frequency, amplitude, peaks, resolution } = answer.spectrum;
  const chosen = chosenStates();
  const look = (state) => ({
    state,
    label: text.states[state],
    borderColor: stateColour(state),
    hidden: !chosen.includes(state),
  });
  const lines = Object.entries(amplitude).map(([state, values]) => ({
    ...look(state),
    data: frequency.map((x, index) => ({ x, y: values[index], index })),
    borderWidth: 1.25,
    borderDash: STATES[state].dash,
    pointRadius: 0,
    pointHoverRadius: 3,
    order: 1,
  }));
  const marks = Object.entries(peaks).map(([state, found]) => ({
    ...look(state),
    marks: true,
    data: found.map((peak) => ({ ...peak, x: peak.frequency, y: peak.amplitude })).sort((a, b) => a.x - b.x),
    showLine: false,
    pointStyle: STATES[state].point,
    pointRadius: PEAK_RADIUS_PX,
    pointHoverRadius: PEAK_RADIUS_PX + 2,
    pointBackgroundColor: "transparent",
    pointBorderWidth: 2,
    order: 0,
  }));
  chart.data.datasets = [...lines, ...marks];
  Object.assign(chart.options.scales.x, { min: 0, max: frequency.at(-1) + resolution / 2 });
  chart.update("none");
  listPeaks(chosen, peaks);
}

function listPeaks(chosen, peaks) {
  const listed = chosen.filter((state) => peaks[state].length);
  rows.replaceChildren(...listed.flatMap((state) => peaks[state].map((peak, index) => peakRow(state, peak, index))));
  place("peaks").hidden = !listed.length;
  place("no-peaks").hidden = listed.length > 0;
  place("marks").hidden = !listed.length;
  paintSwatches();
}

function peakRow(state, { frequency, amplitude, order }, index) {
  const row = document.createElement("tr");
  row.dataset.peakOf = state;
  if (index === 0) {
    const heading = document.createElement("th");
    heading.scope = "rowgroup";
    heading.rowSpan = answer.spectrum.peaks[state].length;
    const swatch = document.createElement("canvas");
    swatch.className = "swatch";
    swatch.dataset.swatch = state;
    swatch.ariaHidden = "true";
    const name = document.createElement("span");
    name.textContent = text.states[state];
    const both = document.createElement("span");
    both.className = "state-name";
    both.append(swatch, name);
    heading.append(both);
    row.append(heading);
  }
  write(row.insertCell(), frequency, (number) => fixed.format(number));
  write(row.insertCell(), amplitude);
  if (order !== null) write(row.insertCell(), order, (number) => fixed.format(number));
  return row;
}

const hertz = (number) => `${plain.format(number)} Hz`;

function tooltipTitle([item]) {
  return item ? hertz(item.raw.x) : "";
}

function tooltipLine({ dataset, raw }) {
  const value = withUnit(rounded(raw.y));
  if (!dataset.marks) return fill(text.tooltip_value, { state: dataset.label, value });
  const peak = { state: dataset.label, frequency: hertz(raw.frequency), value };
  return raw.order === null
    ? fill(text.tooltip_peak, peak)
    : fill(text.tooltip_peak_order, { ...peak, order: fixed.format(raw.order) });
}

const title = (words) => ({ display: true, text: words });
const named = panel.dataset.unit ? `${text.amplitude} (${panel.dataset.unit})` : text.amplitude;
const font = { family: getComputedStyle(document.body).fontFamily, size: 13 };
const chart = new Chart(canvas, {
  type: "line",
  data: { datasets: [] },
  options: {
    ...lineOptions(),
    font,
    scales: {
      x: { type: "linear", title: title(text.frequency), grid: {}, border: {}, ticks: { maxRotation: 0, includeBounds: false } },
      y: { title: title(named), beginAtZero: true, grace: "5%", grid: {}, border: {}, ticks: {} },
    },
    plugins: {
      legend: { display: false }, // the list of states above is the legend
      tooltip: { ...lineTooltip, callbacks: { title: tooltipTitle, label: tooltipLine } },
    },
  },
});

banner.querySelector("[data-do=retry]").addEventListener("click", () => read(asked));
document.addEventListener("themechange", () => {
  applyTheme(chart);
  draw();
  chart.update("none");
});
applyTheme(chart);
