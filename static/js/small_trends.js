// The small trends of a machine's page: read once they come into view, and again each minute while they are seen.

import { ask, isShutOut } from "./api.js";
import { applyTheme } from "./charts/colours.js";
import { lineOptions } from "./charts/line_charts.js";
import { displayFormats } from "./charts/trend_chart.js";
import { trendDatasets } from "./charts/trend_datasets.js";
import { trendWords } from "./charts/trend_words.js";
import { showProblem } from "./problem_banner.js";
import { count, fill } from "./texts.js";

const POLL_MS = 60_000;
const POINTS = 100; // the least that the API gives
const panel = document.querySelector(".small-trends");
const banner = document.querySelector("[data-small-problem] [role=alert]");
const text = JSON.parse(document.getElementById("small-trends-text").textContent);
const { zone } = document.querySelector("[data-checked]").dataset;
const lang = document.documentElement.lang;
const words = trendWords(text, zone, lang);
const figures = [...panel.querySelectorAll("[data-feature]")];
let isSeen = false;
let timer = null;

function chartIn(canvas) {
  return new Chart(canvas, {
    type: "line",
    data: { datasets: [] },
    options: {
      ...lineOptions(),
      events: [], // the page of the trend has all that
      scales: {
        x: {
          type: "time",
          adapters: { date: { zone, locale: lang } },
          time: { displayFormats: displayFormats(lang) },
          title: {},
          grid: {},
          border: {},
          ticks: { maxRotation: 0, autoSkipPadding: 24 },
        },
        y: { title: {}, grace: "5%", grid: {}, border: {}, ticks: { maxTicksLimit: 4 } },
      },
      plugins: { legend: { display: false }, tooltip: { enabled: false } },
    },
  });
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
const charts = new Map(figures.map((figure) => [figure, { chart: chartIn(figure.querySelector("canvas")), answer: null }]));

async function read() {
  clearTimeout(timer);
  for (const figure of figures) figure.setAttribute("aria-busy", "true");
  const answers = await Promise.all(figures.map((figure) => ask(panel.dataset.url, question(figure))));
  for (const figure of figures) figure.setAttribute("aria-busy", "false");
  const failed = answers.find(({ ok }) => !ok);
  if (failed) showProblem(banner, failed, text);
  else banner.hidden = true;
  answers.forEach(({ ok, body }, index) => ok && accept(figures[index], body));
  if (!failed || !isShutOut(failed)) timer = setTimeout(poll, Math.max(POLL_MS, failed?.wait ?? 0));
}

const question = ({ dataset: { feature } }) =>
  new URLSearchParams({ machine_name: panel.dataset.machine, feature, points: POINTS });

function poll() {
  if (isSeen && !document.hidden) read();
  else timer = setTimeout(poll, POLL_MS);
}

function accept(figure, answer) {
  charts.get(figure).answer = answer;
  draw(figure);
  figure.querySelector("[data-told]").textContent = told(answer);
}

// The greatest value, as a person looks for it first.
function told({ series, left_out: leftOut }) {
  if (!series.some(({ captures }) => captures)) return text.nothing;
  const values = series.flatMap(({ least, greatest, unit }) => (greatest ?? least).filter((it) => it !== null).map((value) => ({ value, unit })));
  if (!values.length) return text.not_assessable;
  const { value, unit } = values.reduce((a, b) => (b.value > a.value ? b : a));
  const greatest_ = fill(text.greatest, { value: words.withUnit(value, unit) });
  return leftOut ? `${greatest_}. ${fill(text.left_out, { n: count(series.length + leftOut) })}` : greatest_;
}

function draw(figure) {
  const { chart, answer } = charts.get(figure);
  if (answer) {
    const start = Date.parse(answer.start);
    const series = answer.series.map((it, index) => ({ ...it, key: index }));
    chart.data.datasets = trendDatasets(
      { ...answer, series },
      {
        looks: new Map(series.map(({ key }) => [key, key])),
        name: words.nameOf,
        toX: (seconds) => start + seconds * 1e3,
        widthPx: chart.width,
      },
    );
    Object.assign(chart.options.scales.x, { min: start, max: Date.parse(answer.end) });
  }
  applyTheme(chart);
  chart.update("none");
}

document.addEventListener("themechange", () => figures.forEach(draw));
banner.querySelector("[data-do=retry]").addEventListener("click", read);
new IntersectionObserver(([{ isIntersecting }]) => {
  const isFirst = isIntersecting && timer === null && !isSeen;
  isSeen = isIntersecting;
  if (isFirst) read();
}).observe(panel);
