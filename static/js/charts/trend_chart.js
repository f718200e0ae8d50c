// A trend: one feature of some axes over time, or over days from the opening of an alarm, with alarms and stretches
// without vibration. Zooming, clicks and the keyboard are told to the page.

import { moment, stretch } from "./annotations.js";
import { applyTheme } from "./colours.js";
import { lineOptions, lineTooltip } from "./line_charts.js";
import { pointCursor } from "./point_cursor.js";
import { greatest, least } from "./waveform_datasets.js";
import { zooming } from "./zooming.js";

const NEAR_PX = 24; // a click so far from a line is still meant for it; a finger is wide
const GRACE = 0.05; // of the values' range, above and below
const NAME_PX = 64; // of an alarm
const DAY_MS = 86400e3;

// `page` tells:
//   opening            the instant that x is counted from, in days; null: x is time;
//   zone               of the plant;
//   zoomed(from, to)   called with instants;
//   open(dataset, point), read(dataset, point)   a point was chosen, or the keyboard is on it;
//   line(dataset, point)   a point in words, for the tooltip; `when(dataset, point)` its time.
export function trendChart(canvas, text, page) {
  const lang = document.documentElement.lang;
  const { opening } = page;
  const toX = opening === null ? (ms) => ms : (ms) => (ms - opening) / DAY_MS;
  const fromX = opening === null ? (x) => x : (x) => opening + x * DAY_MS;
  const zoom = zooming(() => page.zoomed(fromX(chart.scales.x.min), fromX(chart.scales.x.max)));
  const title = (words, display = true) => ({ display, text: words });
  const timeScale = {
    type: "time",
    adapters: { date: { zone: page.zone, locale: lang } },
    time: { displayFormats: displayFormats(lang) },
    title: title("", false),
    ticks: { maxRotation: 0, autoSkipPadding: 24 },
  };
  const dayScale = { type: "linear", title: title(text.from_opening), ticks: { maxRotation: 0, includeBounds: false } };

  // The one of the datasets that is nearest to where the pointer is, if it is near.
  function nearest({ x, y }) {
    const found = chart.getElementsAtEventForMode({ x, y, native: null, type: "click" }, "eachAtPointer", {}, true);
    const away = ({ element }) => Math.abs(element.y - y);
    const near = found.filter((it) => away(it) <= NEAR_PX).sort((a, b) => away(a) - away(b));
    return near[0] ?? null;
  }

  function clicked(event) {
    const found = nearest(event);
    if (!found || chart.isZoomingOrPanning?.()) return;
    const dataset = chart.data.datasets[found.datasetIndex];
    page.open(dataset, dataset.data[found.index]);
  }

  // Of a bucket both edges in one line.
  const isUpperOfTwo = ({ dataset }, items) =>
    dataset.which === "greatest" && items.some((it) => it.dataset.series === dataset.series && it.dataset.which === "least");

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  luxon.Settings.defaultLocale = lang;
  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets: [] },
    options: {
      ...lineOptions(),
      scales: {
        x: { ...(opening === null ? timeScale : dayScale), grid: {}, border: {} },
        y: { title: title(""), grace: `${100 * GRACE}%`, grid: {}, border: {}, ticks: {} },
      },
      onClick: clicked,
      plugins: {
        legend: { display: false }, // the list of axes above is the legend
        tooltip: {
          ...lineTooltip,
          filter: (item, _index, items) => !isUpperOfTwo(item, items),
          callbacks: {
            title: (items) => [...new Set(items.map(({ dataset, raw }) => page.when(dataset, raw)))],
            label: ({ dataset, raw }) => page.line(dataset, raw),
          },
        },
        annotation: { annotations: {} },
        zoom: { limits: { x: {} }, zoom: zoom.options },
      },
    },
  });
  pointCursor(chart, page);

  // The room below the least value does not go below 0 where no value does.
  function lowest(datasets) {
    const values = datasets.flatMap(({ data }) => data.map(({ y }) => y)).filter((y) => !Number.isNaN(y));
    const [low, high] = [least(values), greatest(values)];
    return low >= 0 && low - GRACE * (high - low) < 0 ? 0 : undefined;
  }

  // Whether the name of an alarm covers that of no other one.
  const hasRoom = (alarm, alarms, length) =>
    alarms.every((it) => it === alarm || it.dashed !== alarm.dashed || Math.abs(it.at - alarm.at) > (NAME_PX / chart.width) * length);

  // From one instant to another; `alarms` are {at, name, url, dashed}, `flat` pairs of instants.
  function show({ datasets, from, to, unit, alarms, flat, name }) {
    if (!zoom.isTurning()) Object.assign(chart.options.scales.x, { min: toX(from), max: toX(to) });
    chart.options.scales.y.min = lowest(datasets);
    chart.options.scales.y.title.text = unit ? `${name} (${unit})` : name;
    chart.data.datasets = datasets;
    chart.options.plugins.annotation.annotations = Object.fromEntries([
      ...flat.map(([begin, end], index) => [`flat${index}`, stretch({ from: toX(begin), to: toX(end) })]),
      ...alarms.map(({ at, ...rest }, index) => [`alarm${index}`, moment({ ...rest, x: toX(at), isNamed: hasRoom(alarms[index], alarms, to - from) })]),
    ]);
    applyTheme(chart);
    chart.update("none");
  }

  applyTheme(chart);
  chart.update("none");
  return { chart, show, toX, isTurning: zoom.isTurning, widthPx: () => chart.chartArea?.width ?? canvas.clientWidth };
}

export function displayFormats(lang) {
  const day = lang === "ko" ? "M월 d일" : "d LLL";
  return {
    millisecond: "HH:mm:ss.SSS",
    second: "HH:mm:ss",
    minute: "HH:mm",
    hour: `${day} HH:mm`,
    day,
    week: day,
    month: lang === "ko" ? "yyyy년 M월" : "LLL yyyy",
    quarter: lang === "ko" ? "yyyy년 M월" : "LLL yyyy",
    year: lang === "ko" ? "yyyy년" : "yyyy",
  };
}
