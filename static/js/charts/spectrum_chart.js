// A spectrum with its highest peaks, in the panel of templates/vibration/spectrum_chart.html.

import { ask } from "../api.js";
import { showProblem, tryAgainLater } from "../problem_banner.js";
import { fixed, plain, rounded, write } from "../rounding.js";
import { count, fill } from "../texts.js";
import { applyTheme, stateColour } from "./colours.js";
import { lineOptions, lineTooltip } from "./line_charts.js";
import { STATES, paintSwatches } from "./state_looks.js";

const PEAK_RADIUS_PX = 7;
const MIN_SAMPLES = 16; // as in vibration/numbers/spectrum.py
const hertz = (number) => `${plain.format(number)} Hz`;
const title = (words) => ({ display: true, text: words });

// `panel` has the chart, its table and its banner; `text` says all, with the names of what is drawn in `text.states`.
// `page` tells what the two pages with spectra have of their own:
//   chosen()        the names that are to be drawn;
//   take(body)      the answer of the API as {spectrum, spectrum_reason, samples, samples_read, pruned_before}, where
//                   amplitude and peaks of the spectrum are by name;
//   orders(body)    what the peaks are multiples of, in words, and whether they are: {words, known};
//   answered(body)  called before anything is drawn.
export function spectrumChart(panel, text, page) {
  const banner = panel.querySelector("[role=alert]");
  const place = (name) => panel.querySelector(`[data-${name}]`);
  const canvas = panel.querySelector(".canvas-box canvas");
  const rows = place("peaks").tBodies[0];
  const { unit } = panel.dataset;
  const withUnit = (value) => (unit ? `${value} ${unit}` : value);

  let asked = null; // the last question, to repeat it
  let answer = null; // the last one of the API
  let reading = null; // the AbortController of the request under way

  // --- Reading -----------------------------------------------------------------------------------------------------

  // Something else is being read: what is still to come of the old is not wanted any more.
  function wait() {
    reading?.abort();
    panel.setAttribute("aria-busy", "true");
  }

  // There is nothing to speak of.
  function clear() {
    reading?.abort();
    panel.setAttribute("aria-busy", "false");
    panel.dataset.stale = "";
  }

  async function read(question) {
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
    answer = page.take(found.body);
    page.answered?.(answer);
    show();
  }

  // --- Showing -----------------------------------------------------------------------------------------------------

  function show() {
    const { spectrum, spectrum_reason: reason, pruned_before: before } = answer;
    const orders = page.orders(answer);
    place("about").textContent = spectrum ? about(spectrum) : fill(whyNone(reason), { before });
    place("peak-list").hidden = !spectrum;
    place("marks").hidden = true;
    for (const cell of panel.querySelectorAll("[data-order]")) cell.hidden = !orders.known;
    place("orders").textContent = orders.words;
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
    if (rest > 0 && isShort) sentences.push(fill(text.longest_stretch, { start, end }));
    else if (rest > 0) sentences.push(fill(text.left_out, { samples: count(rest) }));
    if (frequency.length < bins) sentences.push(fill(text.groups, { bins: count(Math.ceil(bins / frequency.length)) }));
    return sentences.join(" ");
  }

  function draw() {
    if (!answer?.spectrum) return;
    const { frequency, amplitude, peaks, resolution } = answer.spectrum;
    const chosen = page.chosen();
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
    if (index === 0 && place("peaks-of")) row.append(heading(state));
    write(row.insertCell(), frequency, (number) => fixed.format(number));
    write(row.insertCell(), amplitude);
    if (order !== null) write(row.insertCell(), order, (number) => fixed.format(number));
    return row;
  }

  // Where the table has a column for it: what the peaks are of.
  function heading(state) {
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
    return heading;
  }

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

  const named = unit ? `${text.amplitude} (${unit})` : text.amplitude;
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

  return { wait, clear, read, draw };
}
