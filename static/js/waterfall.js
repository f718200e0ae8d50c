// The waterfall page. The form is the state of the page: its period and its range of frequencies say what is shown, and
// written as a query string they are the page's address. Each zoom is an entry of the history and reads the image again.

import { ask } from "./api.js";
import { takeOut } from "./charts/take_out.js";
import { waterfallChart } from "./charts/waterfall_chart.js";
import { waterfallData } from "./charts/waterfall_image.js";
import { showProblem, tryAgainLater } from "./problem_banner.js";
import { fixed, rounded } from "./rounding.js";
import { count, fill } from "./texts.js";

const USUAL_ORDERS = 10; // that are shown when no upper limit is asked for
const PIXELS = { columns: [50, 1000], rows: [50, 1000] }; // that are asked for
const FEWEST = 10; // rows, where only the speeds are wanted
const LEAST_MS = 1000;
const RESIZE_MS = 300;
const WIDTHS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

const form = document.getElementById("filters");
const figure = document.getElementById("waterfall");
const text = JSON.parse(document.getElementById("waterfall-text").textContent);
const lengths = JSON.parse(document.getElementById("waterfall-lengths").textContent); // of ranges, in milliseconds
const canvas = figure.querySelector("canvas");
const caption = figure.querySelector("figcaption");
const banner = figure.querySelector("[role=alert]");
const part = (name) => figure.querySelector(`[data-${name}]`);
const button = (name) => figure.querySelector(`[data-do=${name}]`);
const { after, before, range, low, high, scale, floor, machine, series } = form.elements;
const { zone } = figure.dataset;
const lang = document.documentElement.lang;

let span = null; // {start, end} in milliseconds, isOpen
let data = null; // what is shown
let reading = null; // the AbortController of the request under way
let readSize = { width: 0, height: 0 };
let resizing = null; // a timer
let cell = null; // where the cursor is
let marked = null; // when the capture started that another is compared with, in milliseconds

// --- The period and the range -----------------------------------------------------------------------------------------

const fromField = (value) => (value ? luxon.DateTime.fromISO(value, { zone }).toMillis() : null);
const asField = (ms) => luxon.DateTime.fromMillis(ms, { zone }).toFormat("yyyy-MM-dd'T'HH:mm:ss");
const numberIn = (field) => (field.value === "" ? null : Number(field.value));
const inOrders = () => scale.value === "orders";
const depth = () => history.state?.depth ?? 0;
const time = (ms) =>
  luxon.DateTime.fromMillis(ms, { zone, locale: lang }).toFormat(lang === "ko" ? "yyyy-MM-dd HH:mm:ss" : "d LLL yyyy HH:mm:ss");

function settle() {
  const [from, to] = [fromField(after.value), fromField(before.value)];
  const end = to ?? Date.now();
  span = { start: from ?? end - lengths[range.value], end, isOpen: to === null };
}

// Whole seconds, rounded outwards.
function writePeriod(from, to) {
  const start = Math.floor(from / 1e3) * 1e3;
  after.value = asField(start);
  before.value = asField(Math.max(Math.ceil(to / 1e3) * 1e3, start + LEAST_MS));
  range.value = "";
}

function writeRange(lowest, highest, most) {
  low.value = lowest <= 0 ? "" : Number(lowest.toPrecision(6));
  high.value = highest >= most ? "" : Number(highest.toPrecision(6));
}

function enter() {
  history.pushState({ depth: depth() + 1 }, "", `?${new URLSearchParams(new FormData(form))}`);
  read();
}

// --- Reading ----------------------------------------------------------------------------------------------------------

function questionOf({ hertz, rows }) {
  const asked = new URLSearchParams({ machine_name: machine.value, series: series.value });
  asked.set("started_at_after", new Date(span.start).toISOString());
  if (!span.isOpen) asked.set("started_at_before", new Date(span.end).toISOString());
  const [fewest, most] = PIXELS.columns;
  asked.set("columns", Math.max(fewest, Math.min(most, Math.round(readSize.width))));
  asked.set("rows", rows);
  if (hertz.low) asked.set("low", hertz.low);
  if (hertz.high !== null) asked.set("high", hertz.high);
  return asked;
}

let question = new URLSearchParams(); // the last one

async function read() {
  reading?.abort();
  const { signal } = (reading = new AbortController());
  settle();
  readSize = chart.size();
  figure.setAttribute("aria-busy", "true");
  let answer;
  try {
    const hertz = await rangeInHertz(signal);
    const [fewest, most] = PIXELS.rows;
    if (hertz.ok === false) answer = hertz;
    else {
      question = questionOf({ hertz, rows: Math.max(fewest, Math.min(most, Math.round(readSize.height))) });
      answer = await ask(figure.dataset.url, question, signal);
    }
    signal.throwIfAborted();
  } catch (error) {
    if (error.name === "AbortError") return; // a newer question is under way
    throw error;
  }
  figure.setAttribute("aria-busy", "false");
  banner.hidden = answer.ok;
  if (answer.ok) {
    delete figure.dataset.stale;
    data = waterfallData(answer.body, inOrders());
    show();
  } else {
    showProblem(banner, answer, text);
    tryAgainLater(banner, answer);
    figure.dataset.stale = "";
  }
}

// What is to be asked for. Orders are of each capture's own speed, which is asked first; an answer that is none is given
// back.
async function rangeInHertz(signal) {
  if (!inOrders()) return { low: numberIn(low), high: numberIn(high) };
  const answer = await ask(figure.dataset.url, questionOf({ hertz: { low: null, high: null }, rows: FEWEST }), signal);
  signal.throwIfAborted();
  if (!answer.ok) return answer;
  const speeds = answer.body.shaft_hz.filter(Boolean);
  if (!speeds.length) return { low: null, high: null };
  return { low: (numberIn(low) ?? 0) * Math.min(...speeds), high: (numberIn(high) ?? USUAL_ORDERS) * Math.max(...speeds) };
}

// --- Showing ----------------------------------------------------------------------------------------------------------

// The ends of the other axis, and of what it can show.
function ends() {
  const { frequency, rates } = data.answer;
  const half = (rates?.at(-1) ?? 0) / 2;
  if (!inOrders()) return { low: numberIn(low) ?? 0, high: numberIn(high) ?? (frequency.at(-1) || 1), most: half || 1 };
  return { low: numberIn(low) ?? 0, high: numberIn(high) ?? USUAL_ORDERS, most: data.speeds.length ? half / Math.min(...data.speeds) : USUAL_ORDERS };
}

function show() {
  chart.show({ data, from: span.start, to: span.end, ...ends(), floor: Number(floor.value), name: inOrders() ? text.orders : text.hz });
  caption.textContent = inWords().join("\n");
  button("back").disabled = depth() === 0;
  button("right").disabled = span.isOpen;
  button("now").disabled = !after.value && !before.value;
  button("allFrequencies").disabled = low.value === "" && high.value === "";
  cell = null;
  part("reading").textContent = "";
  showChoices();
}

// Where the unit is not known, decibels are of 1 of it, and an amplitude is a mere number.
const unit = () => text.units[data.answer.unit];
const decibels = () => (data.answer.unit ? fill(text.decibels, { unit: unit() }) : text.decibels_unknown);
const amplitude = (db) => `${rounded(10 ** (db / 20))} ${data.answer.unit ? unit() : ""}`.trim();
const inDb = (db) => db.toFixed(1).replace("-", "−");

function inWords() {
  const { captures, decibels, remarks } = data.answer;
  const shown = data.starts.length;
  const period = { start: time(span.start), end: time(span.end), captures: count(captures) };
  if (!shown && !captures) return [fill(text.nothing, period), ...remarks.map(remark).filter(Boolean)];
  const said = [fill(captures === 1 ? text.shown_one : text.shown, period)];
  if (shown) {
    const { top } = decibels;
    const bottom = Math.max(decibels.floor, top - Number(floor.value));
    said.push(fill(text.scale, { top: inDb(top), amplitude: amplitude(top), floor: inDb(bottom) }));
  }
  if (inOrders() && shown) said.push(...ordersInWords(shown));
  return [...said, ...remarks.map(remark).filter(Boolean)];
}

function ordersInWords(shown) {
  const known = data.speeds.length;
  if (!known) return [text.no_speeds];
  const said = [text.order_one];
  if (known < shown) said.push(fill(text.no_speed, { count: count(shown - known), shown: count(shown) }));
  if (high.value === "") said.push(fill(text.order_range, { most: USUAL_ORDERS }));
  return said;
}

function remark({ code, ...numbers }) {
  const words = text.remarks[code];
  if (!words) return "";
  const { answer } = data;
  const [least, greatest] = answer.rates ?? [0, 0];
  return fill(words, {
    captures: count(numbers.captures ?? answer.captures),
    shown: count(data.starts.length),
    least: rounded(least),
    greatest: rounded(greatest),
    unit: text.units[numbers.unit] ?? numbers.unit,
    width: duration(numbers.every_s ?? 0),
    time: numbers.first ? time(Date.parse(numbers.first)) : "",
  });
}

// "6 hours", in the greatest unit of which there is one at least.
function duration(seconds) {
  const [name, size] = WIDTHS.find(([, size]) => seconds >= size) ?? WIDTHS.at(-1);
  const written = new Intl.NumberFormat(lang, { style: "unit", unit: name, unitDisplay: "long", maximumFractionDigits: 1 });
  return written.format(seconds / size);
}

// --- One column -------------------------------------------------------------------------------------------------------

// A cell in lines: when, where and how much.
function lines({ ms, column, low, high }) {
  if (column === null) return [fill(text.gap, { time: time(ms) })];
  const at = time(data.starts[column]);
  const hz = data.factor(column);
  if (hz === null) return [at, text.no_order];
  const hertz = { low_hz: rounded(low * hz), high_hz: rounded(high * hz) };
  const place = inOrders()
    ? fill(text.between_orders, { low: fixed.format(low), high: fixed.format(high), ...hertz })
    : fill(text.between, { low: rounded(low), high: rounded(high) });
  const level = data.levelOf(column, low, high);
  if (!level) return [at, place, text.cell_nothing];
  const db = data.inDecibels(level);
  return [at, place, `${inDb(db)} ${decibels()} (${amplitude(db)})`];
}

function readCell(found) {
  cell = found;
  part("reading").textContent = lines(cell).join(", ");
  showChoices();
}

const instant = (ms) => new Date(ms).toISOString();

function addressOf(at, other) {
  const query = new URLSearchParams({ machine: machine.value, series: series.value, at: instant(at) });
  if (other !== undefined) query.set("other", instant(other));
  return `${figure.dataset.column}?${query}`;
}

// What can be done with the column that the cursor is at.
function showChoices() {
  const at = cell?.column == null ? null : data.starts[cell.column];
  const [link, comparison] = [part("open"), part("compare")];
  link.hidden = button("mark").hidden = at === null;
  comparison.hidden = at === null || marked === null || marked === at;
  if (at !== null) link.href = addressOf(at);
  if (!comparison.hidden) {
    comparison.href = addressOf(at, marked);
    comparison.textContent = fill(text.compare, { time: time(marked) });
  }
  part("marked").textContent = marked === null ? "" : fill(text.marked, { time: time(marked) });
}

const chart = waterfallChart(canvas, {
  zone,
  decibels,
  lines,
  read: readCell,
  open: ({ column }) => location.assign(addressOf(data.starts[column])),
  marked: () => marked,
  zoomed({ from, to, low: lowest, high: highest }) {
    writePeriod(from, to);
    writeRange(lowest, highest, ends().most);
    enter();
  },
});

// --- What the user does -----------------------------------------------------------------------------------------------

function goTo(from, to) {
  writePeriod(from, to);
  enter();
}

function move(share) {
  const shift = (span.end - span.start) * share;
  goTo(span.start + shift, span.end + shift);
}

function zoomBy(factor) {
  const middle = (span.start + span.end) / 2;
  const half = ((span.end - span.start) / 2) * factor;
  goTo(middle - half, middle + half);
}

const actions = {
  back: () => history.back(),
  left: () => move(-0.5),
  right: () => move(0.5),
  closer: () => zoomBy(0.5),
  wider: () => zoomBy(2),
  allFrequencies() {
    low.value = high.value = "";
    enter();
  },
  now() {
    after.value = before.value = range.value = "";
    enter();
  },
  mark() {
    marked = data.starts[cell.column];
    chart.repaint();
    showChoices();
  },
  retry: read,
};
figure.addEventListener("click", ({ target }) => {
  const action = target.dataset?.do;
  if (span || action === "retry") actions[action]?.();
});
addEventListener("popstate", () => {
  const query = new URLSearchParams(location.search);
  for (const field of [after, before, range, low, high]) field.value = query.get(field.name) ?? "";
  for (const field of [scale, floor]) field.value = query.get(field.name) ?? field.value;
  read();
});
// A frequency is no order: the range is that of the other axis.
scale.addEventListener("change", () => {
  low.value = high.value = "";
  enter();
});
floor.addEventListener("change", () => {
  history.replaceState(history.state, "", `?${new URLSearchParams(new FormData(form))}`);
  if (data) show();
});
machine.addEventListener("change", () => {
  series.selectedIndex = -1; // the other machine may have no axis of that name
  form.requestSubmit();
});
series.addEventListener("change", () => form.requestSubmit());
addEventListener("resize", () => {
  clearTimeout(resizing);
  // A turned phone has other pixels to fill; a few more or less are not worth a request.
  resizing = setTimeout(() => {
    if (data && Math.abs(chart.size().width - readSize.width) > 0.25 * readSize.width) read();
  }, RESIZE_MS);
});

takeOut(figure, { canvas, name: figure.dataset.title, question: () => new URLSearchParams(question) });
read();
