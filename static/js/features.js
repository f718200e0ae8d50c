// The features of captures, of windows of a recording: one as a chart by state, the medians of all as a table. The form
// is the state of the page; another feature or state needs no request.

import { ask } from "./api.js";
import { applyTheme, stateColour } from "./charts/colours.js";
import { lineOptions, lineTooltip } from "./charts/line_charts.js";
import { STATES, paintSwatches } from "./charts/state_looks.js";
import { takeOut } from "./charts/take_out.js";
import { showProblem, tryAgainLater } from "./problem_banner.js";
import { fixed, rounded } from "./rounding.js";
import { count, fill } from "./texts.js";

const GAP_PARTS = 1.5; // windows further apart than so many usual distances are not joined

const NORMAL = "normal"; // with which the others are compared

const form = document.getElementById("features-form");
const figure = document.getElementById("features");
const text = JSON.parse(document.getElementById("features-text").textContent);
const known = JSON.parse(document.getElementById("features-known").textContent);
const canvas = figure.querySelector("canvas");
const caption = figure.querySelector("figcaption");
const banner = figure.querySelector("[role=alert]");
const reading = figure.querySelector("[data-reading]");
const trendLink = document.querySelector("[data-trend]");
const stateBoxes = [...form.querySelectorAll("[name=states]")];
const { feature: featureField } = form.elements;

let answer = null; // the last one of the API
let cursor = null; // the number of the window that the keyboard is on

const chosen = () => stateBoxes.filter((box) => box.checked).map((box) => box.value);
const feature = () => known.find(({ name }) => name === featureField.value);
const titled = ({ title, unit }) => (unit ? `${title} (${unit})` : title);

// --- Reading ---------------------------------------------------------------------------------------------------------

function question() {
  const asked = new URLSearchParams({
    machine_name: form.elements.machine.value,
    sensor_no: form.elements.sensor.value,
    recording: form.elements.recording.value,
  });
  for (const name of ["start", "end", "windows"]) {
    if (form.elements[name].value !== "") asked.set(name, form.elements[name].value);
  }
  return asked;
}

async function read() {
  figure.setAttribute("aria-busy", "true");
  const found = await ask(figure.dataset.url, question());
  figure.setAttribute("aria-busy", "false");
  banner.hidden = found.ok;
  if (!found.ok) {
    showProblem(banner, found, text);
    tryAgainLater(banner, found);
    return;
  }
  answer = found.body;
  show();
}

// --- Showing ---------------------------------------------------------------------------------------------------------

function show() {
  cursor = null;
  reading.textContent = "";
  for (const row of document.querySelectorAll("[data-medians]")) {
    const current = row.dataset.medians === featureField.value;
    if (current) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  const states = chosen();
  for (const cell of document.querySelectorAll("[data-of-state]")) cell.hidden = !states.includes(cell.dataset.ofState);
  if (trendLink) {
    const url = new URL(trendLink.href);
    url.searchParams.set("feature", featureField.value);
    trendLink.href = url;
  }
  if (!answer) return;
  draw();
  writeMedians();
  caption.textContent = remarks().join("\n");
}

function remarks() {
  const { windows, window_length: length, window_distance: distance, samples_read: samples } = answer;
  if (!answer.window_start.length && !answer.removed) return [text.nothing];
  const seconds = { length: rounded(length), distance: rounded(distance) };
  const words = { windows: count(windows), samples: count(samples), ...seconds };
  const said = [fill(windows === 1 ? text.window_one : text.windows, words)];
  if (length < distance) said[0] += ` ${text.between}`;
  for (const name of ["empty", "removed", "uneven", "cut"]) {
    if (answer[name]) said.push(fill(text[name], { count: count(answer[name]) }));
  }
  if (!chosen().length) said.push(text.no_state);
  const signals = answer.window_start.length - answer.uneven;
  for (const state of chosen()) {
    const { windows: assessable, reason } = answer.summaries[state][featureField.value];
    if (assessable === signals) continue;
    said.push(
      fill(text.not_assessable, {
        state: text.states[state],
        count: count(signals - assessable),
        of: count(signals),
        reason: text.reasons[reason] ?? text.noise,
      }),
    );
  }
  return said;
}

// The middle of each window, with a break where one is missing.
function points(values) {
  const found = [];
  const { window_start: starts, window_end: ends, window_distance: distance } = answer;
  values.forEach((y, index) => {
    if (index && starts[index] - starts[index - 1] > GAP_PARTS * distance) found.push({ x: starts[index], y: NaN, index });
    found.push({ x: (starts[index] + ends[index]) / 2, y: y ?? NaN, index });
  });
  return found;
}

function draw() {
  const states = chosen();
  chart.data.datasets = Object.entries(answer.features).map(([state, byName]) => ({
    state,
    label: text.states[state],
    data: points(byName[featureField.value]),
    hidden: !states.includes(state),
    borderColor: stateColour(state),
    borderWidth: 1.5,
    borderDash: STATES[state].dash,
    pointStyle: STATES[state].point,
    pointBackgroundColor: stateColour(state),
    pointRadius: 3.5,
    pointHoverRadius: 6,
  }));
  const { x, y } = chart.options.scales;
  Object.assign(x, answer.start < answer.end ? { min: answer.start, max: answer.end } : { min: undefined, max: undefined });
  y.title.text = titled(feature());
  applyTheme(chart);
  chart.update("none");
  paintSwatches();
}

function writeMedians() {
  for (const row of document.querySelectorAll("[data-medians]")) {
    for (const cell of row.querySelectorAll("td")) {
      const state = cell.dataset.ofState;
      cell.replaceChildren(...median(state, answer.summaries[state][row.dataset.medians]));
    }
  }
}

function median(state, { windows, median: value, ratio, reason }) {
  if (!windows) {
    const why = document.createElement("div");
    why.className = "quiet why";
    why.textContent = answer.window_start.length > answer.uneven ? (text.reasons[reason] ?? text.noise) : "–";
    return [why];
  }
  const number = document.createElement("data");
  number.value = value;
  number.textContent = rounded(value);
  if (ratio === null || state === NORMAL) return [number];
  const beside = document.createElement("span");
  beside.className = "quiet";
  beside.dataset.ratio = ratio;
  beside.textContent = ` ${fill(text.ratio, { ratio: fixed.format(ratio) })}`;
  return [number, beside];
}

// --- One window ------------------------------------------------------------------------------------------------------

const span = (index) =>
  fill(text.span, { start: answer.window_start[index].toFixed(3), end: answer.window_end[index].toFixed(3) });

function valueOf(state, index) {
  const value = answer.features[state][featureField.value][index];
  if (value === null) return fill(text.no_value, { state: text.states[state] });
  const { unit } = feature();
  return fill(text.value, { state: text.states[state], value: unit ? `${rounded(value)} ${unit}` : rounded(value) });
}

function open(index) {
  const to = new URLSearchParams({
    machine: form.elements.machine.value,
    sensor: form.elements.sensor.value,
    recording: form.elements.recording.value,
    start: answer.window_start[index],
    end: answer.window_end[index],
  });
  for (const state of chosen()) to.append("states", state);
  location.assign(`${figure.dataset.waveform}?${to}`);
}

function step(to) {
  const last = answer.window_start.length - 1;
  cursor = Math.max(0, Math.min(last, to));
  const active = chart.getSortedVisibleDatasetMetas().flatMap(({ index: datasetIndex }) => {
    const index = chart.data.datasets[datasetIndex].data.findIndex((it) => it.index === cursor && !Number.isNaN(it.y));
    return index < 0 ? [] : [{ datasetIndex, index }];
  });
  chart.setActiveElements(active);
  const [first] = active;
  const at = first && chart.getDatasetMeta(first.datasetIndex).data[first.index];
  chart.tooltip.setActiveElements(active, at ? { x: at.x, y: at.y } : { x: 0, y: 0 });
  chart.update("none");
  const uneven = answer.sampling_frequency[cursor] === null;
  const values = chosen().map((state) => valueOf(state, cursor)).join(", ");
  reading.textContent = fill(uneven ? text.no_window : text.reading, { span: span(cursor), values });
}

canvas.addEventListener("keydown", (event) => {
  if (!answer?.window_start.length) return;
  const moves = {
    ArrowRight: () => step(cursor === null ? 0 : cursor + 1),
    ArrowLeft: () => step(cursor === null ? Infinity : cursor - 1),
    Home: () => step(0),
    End: () => step(Infinity),
    Enter: () => cursor !== null && open(cursor),
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  moves[event.key]();
});

// --- The chart -------------------------------------------------------------------------------------------------------

const title = (words) => ({ display: true, text: words });
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 13;
const chart = new Chart(canvas, {
  type: "line",
  data: { datasets: [] },
  options: {
    ...lineOptions(),
    scales: {
      x: { type: "linear", title: title(text.time), grid: {}, border: {}, ticks: { maxRotation: 0, includeBounds: false } },
      y: { title: title(""), grace: "5%", grid: {}, border: {}, ticks: {} },
    },
    plugins: {
      legend: { display: false }, // the list of states above is the legend
      tooltip: {
        ...lineTooltip,
        callbacks: {
          title: ([item]) => (item ? span(item.raw.index) : ""),
          label: ({ dataset, raw }) => valueOf(dataset.state, raw.index),
        },
      },
    },
    onHover: (event, active) => (canvas.style.cursor = active.length ? "pointer" : ""),
    onClick: (event, active) => active.length && open(active[0].element.$context.raw.index),
  },
});

function chooseAgain() {
  history.replaceState(history.state, "", `?${new URLSearchParams(new FormData(form))}`);
  show();
}

form.addEventListener("formdata", ({ formData }) => {
  for (const name of ["start", "end", "windows"]) if (formData.get(name) === "") formData.delete(name);
});
featureField.addEventListener("change", chooseAgain);
for (const box of stateBoxes) box.addEventListener("change", chooseAgain);
document.querySelector(".medians").addEventListener("click", ({ target }) => {
  if (!target.dataset.choose) return;
  featureField.value = target.dataset.choose;
  chooseAgain();
});
form.elements.machine.addEventListener("change", () => {
  form.elements.sensor.selectedIndex = -1; // the other machine may have no sensor of that name
  form.elements.recording.selectedIndex = -1;
  form.requestSubmit();
});
form.elements.sensor.addEventListener("change", () => {
  form.elements.recording.selectedIndex = -1;
  form.requestSubmit();
});
form.elements.recording.addEventListener("change", () => form.requestSubmit());
banner.querySelector("[data-do=retry]").addEventListener("click", read);
document.addEventListener("themechange", () => {
  applyTheme(chart);
  if (answer) draw();
  else chart.update("none");
});
takeOut(figure, { canvas, name: () => `${figure.dataset.title}, ${titled(feature())}`, question });

applyTheme(chart);
show();
read();
