// One sheet about a capture: the trend of a feature, its spectrum and its waveform. Nothing on it can be zoomed; what
// is shown stands in the form above it, which is not printed.

import { ask } from "./api.js";
import { applyTheme, stateColour } from "./charts/colours.js";
import { lineOptions } from "./charts/line_charts.js";
import { waveformDatasets } from "./charts/waveform_datasets.js";
import { showProblem, tryAgainLater } from "./problem_banner.js";
import { greatestOf, spectrumDatasets } from "./spectra/datasets.js";
import { amplitudeAxis, frequencyAxis } from "./spectra/scales.js";
import { spectrumView } from "./spectra/view.js";
import { about, whyNone } from "./spectra/words.js";
import { count, fill } from "./texts.js";

const SIGNAL = "signal";
const POINTS = 1400; // about as many as a printer tells apart over the width
const DAY_S = 86_400;
const text = JSON.parse(document.getElementById("report-text").textContent);
const form = document.getElementById("report-form");
const view = spectrumView(form, form, () => form.requestSubmit());
const title = (words) => ({ display: true, text: words });
const axis = (words) => ({ type: "linear", title: title(words), grid: {}, border: {}, ticks: { maxRotation: 0 } });

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 11;

// A section of the sheet, read once and drawn by `draw(chart, body, section)`.
function section(id, question, draw) {
  const panel = document.getElementById(id);
  const banner = panel.querySelector("[role=alert]");
  const chart = new Chart(panel.querySelector("canvas"), {
    type: "line",
    data: { datasets: [] },
    options: {
      ...lineOptions(),
      devicePixelRatio: 3, // sharp on paper
      scales: { x: axis(""), y: axis("") },
      plugins: { legend: { display: false }, tooltip: { enabled: false } },
    },
  });
  let body = null;

  async function read() {
    const answer = await ask(panel.dataset.url, question(panel.dataset));
    if (answer.ok) {
      body = answer.body;
      banner.hidden = true;
      show();
    } else {
      showProblem(banner, answer, text);
      tryAgainLater(banner, answer);
    }
    panel.setAttribute("aria-busy", "false");
  }

  function show() {
    if (body) draw(chart, body, panel);
    applyTheme(chart);
    chart.update("none");
  }

  banner.querySelector("[data-do=retry]").addEventListener("click", read);
  document.addEventListener("themechange", show); // on paper it is light, see theme.js
  read();
}

const shownUnit = (unit) => unit.replace("s2", "s²");
const withUnit = (words, unit) => (unit ? `${words} (${unit})` : words);

function windowOf() {
  const query = new URLSearchParams();
  for (const name of ["start", "end"]) {
    if (form.elements[name].value !== "") query.set(name, form.elements[name].value);
  }
  return query;
}

// --- The trend ----------------------------------------------------------------------------------------------------------

function trendQuestion({ series }) {
  const query = new URLSearchParams(JSON.parse(document.getElementById("report-trend").textContent));
  query.set("series", series);
  return query;
}

function drawTrend(chart, { series, bucket_width: width, start, end }, panel) {
  const [{ unit, time, least, greatest, gap_s: gap, remarks }] = series;
  const days = (Date.parse(end) - Date.parse(start)) / 1e3 / DAY_S;
  const edge = (values) =>
    time.flatMap((seconds, index) => {
      const point = { x: seconds / DAY_S - days, y: values[index] ?? NaN };
      const isGap = index && gap && seconds - time[index - 1] > gap;
      return isGap ? [{ x: point.x, y: NaN }, point] : [point];
    });
  const look = { borderColor: stateColour(SIGNAL), borderWidth: 1.25, pointRadius: time.length < 60 ? 2 : 0 };
  chart.data.datasets = [{ ...look, data: edge(least) }];
  if (greatest) chart.data.datasets.push({ ...look, data: edge(greatest), fill: "-1" });
  chart.options.scales.x = { ...axis(text.days_before), min: -Math.round(days), max: 0 };
  chart.options.scales.y = { ...axis(shownUnit(unit)), beginAtZero: true };
  panel.querySelector("[data-about]").textContent = aboutTrend(time, width, remarks);
}

function aboutTrend(time, width, remarks) {
  if (!time.length) return text.trend_none;
  const sentences = [width ? fill(text.trend_buckets, { width: width / 3600 }) : text.trend_each];
  const words = {
    other_unit: text.trend_left_out,
    not_assessable: text.trend_not_assessable,
    before_first: text.trend_before_first,
  };
  for (const { code, captures } of remarks) {
    if (words[code]) sentences.push(fill(words[code], { captures: captures === undefined ? "" : count(captures) }));
  }
  return sentences.join(" ");
}

// --- Spectrum and waveform -----------------------------------------------------------------------------------------------

function spectrumQuestion() {
  const query = view.write(new URLSearchParams());
  query.set("points", POINTS);
  return query;
}

function drawSpectrum(chart, body, panel) {
  const answer = { ...body, samples: body.count };
  const place = panel.querySelector("[data-about]");
  if (!body.spectrum) {
    place.textContent = whyNone(answer, text);
    return;
  }
  const { amplitude, peaks, frequency, resolution } = body.spectrum;
  const spectrum = { ...body.spectrum, amplitude: { [SIGNAL]: amplitude }, peaks: { [SIGNAL]: peaks } };
  const scale = view.text("scale");
  const unit = view.text("quantity") === "velocity" ? "mm/s" : panel.dataset.unit;
  chart.data.datasets = spectrumDatasets(spectrum, { chosen: [SIGNAL], scale, names: text.states, width: 0 });
  const range = { min: view.number("low") ?? 0, max: view.number("high") ?? frequency.at(-1) + resolution / 2 };
  chart.options.scales.x = { ...frequencyAxis(view.text("x"), body.shaft_hz, text), ...range };
  chart.options.scales.y = amplitudeAxis(scale, greatestOf(chart.data.datasets), unit, text);
  place.textContent = about(answer, view, text);
}

function waveformQuestion() {
  const query = windowOf();
  query.set("points", POINTS);
  return query;
}

function drawWaveform(chart, { values, ...body }, panel) {
  const waveform = { ...body, states: { [SIGNAL]: values } };
  chart.data.datasets = waveformDatasets(waveform, text.states, chart.chartArea.width);
  chart.options.scales.x = { ...axis(text.time), min: body.start, max: body.end };
  chart.options.scales.y = axis(withUnit(text.value, panel.dataset.unit));
}

section("trend", trendQuestion, drawTrend);
section("spectrum", spectrumQuestion, drawSpectrum);
section("waveform", waveformQuestion, drawWaveform);
document.querySelector("[data-print]").addEventListener("click", () => print());
