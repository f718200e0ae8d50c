// The trend page. The form is the state of the page, as on the timeline: its period and its axes say what is shown, and
// written as a query string they are the page's address. Asked each ten seconds, the server mostly answers that nothing
// has changed.

import { ask, isShutOut } from "./api.js";
import { paintAxisSwatches } from "./charts/axis_looks.js";
import { takeOut } from "./charts/take_out.js";
import { trendChart } from "./charts/trend_chart.js";
import { flatStretches, trendDatasets } from "./charts/trend_datasets.js";
import { trendWindow } from "./charts/trend_window.js";
import { trendWords } from "./charts/trend_words.js";
import { showProblem } from "./problem_banner.js";
import { fill } from "./texts.js";

const POLL_MS = 10_000;
const RESIZE_MS = 300;
const MOST_ALARMS = 50; // that are marked, of each of the two
const MAX_POINTS = 2000;

const form = document.getElementById("filters");
const figure = document.getElementById("trend");
const plan = JSON.parse(document.getElementById("trend-plan").textContent);
const text = JSON.parse(document.getElementById("trend-text").textContent);
const canvas = figure.querySelector("canvas");
const caption = figure.querySelector("figcaption");
const reading = figure.querySelector("[data-reading]");
const alarmList = figure.querySelector("[data-alarms-of]");
const banner = figure.querySelector("[role=alert]");
const clock = document.querySelector("[data-checked]");
const csvOfCompared = figure.querySelector("[data-csv-of=compared]");
const boxes = [...form.querySelectorAll("[name=series]")];
const button = (name) => figure.querySelector(`[data-do=${name}]`);
const { zone } = figure.dataset;
const lang = document.documentElement.lang;
const words = trendWords(text, zone, lang);
const period = trendWindow(form, plan, zone);
const looks = new Map(plan.axes.map(({ key, look }) => [key, look]));
const clockTime = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: zone });

// What is drawn: the machine's own period, and what it is compared with. `shift` is what is added to an instant of the
// chart for the one that was captured.
const places = [
  { machine: plan.machine, shift: 0, opening: plan.opening, dashed: false, axes: () => chosen() },
  ...(plan.compared
    ? [{ ...plan.compared, dashed: true, axes: () => chosen().filter((it) => plan.compared.axes.includes(it)) }]
    : []),
];

let view = new FormData(form); // what is shown; the form may hold more, until it is sent
let ticked = boxes.filter((box) => box.checked).map((box) => box.value); // keys of axes
let span = period.of(view); // {start, end, isOpen}
let shown = null; // [{place, answer, alarms}] as they came last
let versions = ""; // of these
let asking = null; // the AbortController of the requests under way
let timer = null;
let resizing = null;
let readPoints = 0;

// --- Reading -------------------------------------------------------------------------------------------------------

const depth = () => history.state?.depth ?? 0;
const chosen = () => ticked;
const instant = (ms) => new Date(ms).toISOString();

function takeView() {
  view = new FormData(form);
  ticked = boxes.filter((box) => box.checked).map((box) => box.value);
  return `?${new URLSearchParams(view)}`;
}

function enter() {
  history.pushState({ depth: depth() + 1 }, "", takeView());
  read({ anew: true });
}

function question({ machine, shift, axes }) {
  const query = new URLSearchParams({ machine_name: machine, feature: plan.feature });
  for (const key of axes()) query.append("series", key);
  query.set("started_at_after", instant(span.start + shift));
  if (!span.isOpen || shift) query.set("started_at_before", instant(span.end + shift));
  query.set("points", Math.min(MAX_POINTS, Math.max(100, readPoints)));
  return query;
}

function settle() {
  span = period.of(view);
  readPoints = Math.round(trend.widthPx() / 50) * 50; // so that a pixel more asks no other question
}

async function read({ anew = false } = {}) {
  clearTimeout(timer);
  asking?.abort();
  const mine = (asking = new AbortController());
  settle();
  if (anew) figure.setAttribute("aria-busy", "true");
  let answers;
  try {
    answers = await Promise.all(places.map((place) => readPlace(place, mine.signal)));
  } catch (error) {
    if (error.name !== "AbortError") throw error;
    return; // given up for a newer question
  }
  if (mine !== asking) return;
  figure.setAttribute("aria-busy", "false");
  const failed = answers.find(({ answer }) => !answer.ok);
  if (failed) {
    refuse(failed.answer);
    if (isShutOut(failed.answer)) return; // until somebody presses something or comes back to this tab
  } else {
    accept(answers, anew);
  }
  const wait = failed?.answer.status === 429 ? failed.answer.wait : 0;
  if (span.isOpen || failed) timer = setTimeout(poll, Math.max(POLL_MS, wait));
}

async function readPlace(place, signal) {
  if (!place.axes().length) return { place, answer: { ok: true, body: null, version: "" }, alarms: null };
  const [answer, alarms] = await Promise.all([
    ask(figure.dataset.url, question(place), signal),
    ask(figure.dataset.alarms, alarmQuestion(place), signal),
  ]);
  return { place, answer, alarms };
}

function alarmQuestion({ machine, shift }) {
  return new URLSearchParams({
    machine_name: machine,
    opened_at_after: instant(span.start + shift),
    opened_at_before: instant(span.end + shift),
    limit: MOST_ALARMS,
  });
}

function accept(answers, anew) {
  banner.hidden = true;
  delete figure.dataset.stale;
  clock.textContent = clockTime.format(new Date());
  const versionsNow = JSON.stringify(answers.map(({ answer, alarms }) => [answer.version, alarms?.body]));
  const isNew = versionsNow !== versions;
  versions = versionsNow;
  shown = answers.map(({ place, answer, alarms }) => ({ place, answer: keyed(answer.body, place), alarms }));
  if (trend.isTurning()) return;
  show();
  if (anew ? asked !== location.search : isNew && asked !== null) readNumbers();
}

// The API has the series in the order in which they were asked for.
const keyed = (body, place) =>
  body && { ...body, series: body.series.map((series, index) => ({ ...series, key: place.axes()[index] })) };

let asked = location.search; // the query that the table of numbers is of

function readNumbers() {
  asked = location.search;
  htmx.ajax("GET", `${location.pathname}${location.search}`, { source: "#trend-numbers", target: "#trend-numbers" });
}

function refuse(answer) {
  showProblem(banner, answer, text);
  figure.dataset.stale = "";
}

function poll() {
  if (document.hidden) timer = setTimeout(poll, POLL_MS);
  else read();
}

// --- Showing -------------------------------------------------------------------------------------------------------

const captured = (answer, seconds) => Date.parse(answer.start) + seconds * 1e3; // when

function show() {
  const drawn = shown.filter(({ answer }) => answer);
  // Of axes that are all still at once, one shade.
  const stretches = drawn.flatMap(({ place, answer }) => (place.dashed ? [] : flatOf(answer).flatMap((it) => it.stretches)));
  const flat = [...new Map(stretches.map((it) => [String(it), it])).values()];
  trend.show({
    datasets: drawn.flatMap(({ place, answer }) =>
      trendDatasets(answer, {
        looks,
        name: (series) => nameOf(place, series),
        toX: (seconds) => trend.toX(captured(answer, seconds) - place.shift),
        widthPx: trend.widthPx(),
        dashed: place.dashed,
      }).map((dataset) => ({ ...dataset, place, answer })),
    ),
    from: span.start,
    to: span.end,
    name: plan.feature_name,
    unit: words.unitOf(unitOf(drawn) ?? ""),
    alarms: alarmsOf(drawn),
    flat,
  });
  caption.textContent = chosen().length ? drawn.flatMap(inWords).join("\n") : text.no_axis;
  listAlarms(drawn);
  for (const { dashed, shift } of places) {
    const told = figure.querySelector(`[data-period-of=${dashed ? "compared" : "shown"}]`);
    if (told) told.textContent = fill(text.from_to, { start: words.time(span.start + shift), end: words.time(span.end + shift) });
  }
  if (csvOfCompared) csvOfCompared.href = `${figure.dataset.url}?${question(places[1])}&format=csv`;
  button("back").disabled = depth() === 0;
  button("right").disabled = span.isOpen;
  button("now").disabled = !view.get("after") && !view.get("before");
}

const nameOf = (place, series) => {
  const name = places.length > 1 && plan.compared.is_other ? `${place.machine}: ${words.nameOf(series)}` : words.nameOf(series);
  return place.dashed ? fill(text.dashed, { name }) : name;
};

// That of all, if they have the same; else it stands in the words of each value.
function unitOf(drawn) {
  const units = new Set(drawn.flatMap(({ answer }) => answer.series.map(({ unit }) => unit)));
  return units.size === 1 ? [...units][0] : null;
}

const flatOf = (answer) =>
  answer.series.map((series) => ({
    series,
    stretches: flatStretches(series).map((ends) => ends.map((it) => captured(answer, it))),
  }));

function inWords({ place, answer }) {
  const within = { start: span.start + place.shift, end: span.end + place.shift };
  const lines = [
    words.amount(answer, within),
    ...answer.series.flatMap((series) => series.remarks.map((it) => words.remark(series, it))),
    ...flatOf(answer).flatMap(({ series, stretches }) => words.flat(series, stretches)),
  ];
  if (places.length === 1) return lines;
  const name = place.dashed ? fill(text.dashed, { name: place.machine }) : place.machine;
  return lines.map((line) => fill(text.shown, { name, words: line }));
}

// --- Alarms ----------------------------------------------------------------------------------------------------------

const addressOf = (id) => figure.dataset.alarm.replace(/0\/$/, `${id}/`);

function alarmsOf(drawn) {
  return drawn.flatMap(({ place, alarms }) =>
    (alarms?.ok ? alarms.body : []).map(({ id, opened_at: at }) => ({
      at: Date.parse(at) - place.shift,
      name: fill(text.alarm, { number: id }),
      url: addressOf(id),
      dashed: place.dashed,
    })),
  );
}

function listAlarms(drawn) {
  const item = (...content) => {
    const li = document.createElement("li");
    li.append(...content);
    return li;
  };
  const items = drawn.flatMap(({ alarms }) => {
    if (!alarms?.ok) return [item(text.alarms_not_read)];
    const links = alarms.body.map(({ id, fault_type: fault, opened_at: at }) => {
      const link = Object.assign(document.createElement("a"), { href: addressOf(id) });
      link.textContent = `${fill(text.alarm, { number: id })}: ${text.states[fault]}, ${words.time(Date.parse(at))}`;
      return item(link);
    });
    return alarms.body.length < MOST_ALARMS ? links : [...links, item(fill(text.more_alarms, { n: MOST_ALARMS }))];
  });
  alarmList.replaceChildren(...(items.length ? items : [item(text.no_alarms)]));
}

// --- Points ----------------------------------------------------------------------------------------------------------

function when({ answer, series, place }, { index }) {
  const at = captured(answer, series.time[index]);
  const from = words.time(at);
  const { bucket_width: width } = series;
  const told = width ? fill(text.from_to, { start: from, end: words.time(at + width * 1e3) }) : from;
  if (plan.opening === null) return told;
  return fill(text.days_from_opening, { days: ((at - place.opening) / 86400e3).toFixed(2), time: told });
}

function line({ series, place }, { index }) {
  const axis = nameOf(place, series);
  const least = words.withUnit(series.least[index], series.unit);
  if (!series.bucket_width) return fill(text.value, { axis, value: least });
  return fill(text.range, { axis, least, greatest: words.withUnit((series.greatest ?? series.least)[index], series.unit) });
}

function readPoint(dataset, point) {
  const { series, place, which } = dataset;
  const value = words.withUnit(point.y, series.unit);
  const what = fill(series.bucket_width ? text[which] : text.value, { axis: nameOf(place, series), value });
  reading.textContent = fill(text.reads, { what, when: when(dataset, point) });
}

// The capture of a point; of a bucket the one with its least or its greatest value.
function open({ answer, series, place, which }, { index }) {
  const at = captured(answer, series.time[index]);
  // A script has milliseconds, a capture microseconds.
  const [start, end] = series.bucket_width ? [at, at + series.bucket_width * 1e3] : [Math.floor(at), Math.floor(at) + 1];
  location.assign(
    `${figure.dataset.capture}?${new URLSearchParams({
      machine: place.machine,
      series: series.key,
      feature: plan.feature,
      which,
      start: instant(start),
      end: instant(end),
    })}`,
  );
}

const trend = trendChart(canvas, text, { opening: plan.opening, zone, zoomed: goTo, open, read: readPoint, line, when });

// --- What the user does ----------------------------------------------------------------------------------------------

function goTo(start, end) {
  if (period.write(start, end)) enter();
  else show();
}

function move(share) {
  const shift = (span.end - span.start) * share;
  goTo(span.start + shift, span.end + shift);
}

function scale(factor) {
  const middle = (span.start + span.end) / 2;
  const half = ((span.end - span.start) / 2) * factor;
  goTo(middle - half, middle + half);
}

const actions = {
  back: () => history.back(),
  left: () => move(-0.5),
  right: () => move(0.5),
  closer: () => scale(0.5),
  wider: () => scale(2),
  now() {
    period.reset(view);
    enter();
  },
  retry: () => read({ anew: true }),
};
figure.addEventListener("click", (event) => {
  const action = event.target.dataset?.do;
  if (shown || action === "retry") actions[action]?.();
});
canvas.addEventListener("keydown", ({ key }) => {
  const action = { "+": "closer", "-": "wider" }[key];
  if (shown && action) actions[action]();
});

addEventListener("popstate", () => {
  const query = new URLSearchParams(location.search);
  period.restore(query);
  const series = query.getAll("series");
  for (const box of boxes) box.checked = !series.length || series.includes(box.value);
  takeView();
  read({ anew: true });
});
for (const box of boxes) {
  box.addEventListener("change", () => {
    if (boxes.length > plan.looks) {
      form.requestSubmit(); // the looks are dealt out anew
      return;
    }
    history.replaceState(history.state, "", takeView());
    read({ anew: true });
  });
}
// Another machine may not have these axes, nor another one these alarms.
form.elements.machine.addEventListener("change", () => {
  for (const box of boxes) box.checked = false;
  for (const name of ["alarm", "with_alarm"]) form.elements[name].value = "";
  form.requestSubmit();
});
form.elements.feature.addEventListener("change", () => form.requestSubmit());
// All axes are meant where none is named.
form.addEventListener("formdata", ({ formData }) => {
  if (boxes.every((box) => box.checked)) formData.delete("series");
});
addEventListener("resize", () => {
  clearTimeout(resizing);
  // A turned phone has other pixels to fill; a few more or less are not worth a request.
  resizing = setTimeout(() => {
    if (shown && Math.abs(trend.widthPx() - readPoints) > 0.25 * readPoints) read({ anew: true });
  }, RESIZE_MS);
});
document.addEventListener("themechange", () => {
  paintAxisSwatches();
  if (shown) show();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && span.isOpen) read();
});

for (const [index, swatch] of form.querySelectorAll("[data-axis-swatch]").entries()) swatch.dataset.axisSwatch = plan.axes[index].look;
takeOut(figure, { canvas, name: `${plan.machine} – ${plan.feature_name}`, question: () => question(places[0]) });
paintAxisSwatches();
read({ anew: true });
