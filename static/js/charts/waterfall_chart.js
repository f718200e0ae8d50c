// A waterfall: an image with axes of Chart.js, a bar that says what its colours mean, and a cursor for mouse, finger and
// keyboard. What the cursor is at, and what is chosen, is told to the page.

import { applyTheme, cssValue } from "./colours.js";
import { colourAt } from "./palette.js";
import { displayFormats } from "./trend_chart.js";
import { waterfallImage } from "./waterfall_image.js";
import { zooming } from "./zooming.js";

const BAR_PX = { width: 14, gap: 12, room: 80 };
const NARROW_PX = 480;
const CLICK_PX = 5; // a pointer that moved further was dragged
const STEPS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
  PageUp: [0, 10],
  PageDown: [0, -10],
  Home: [-Infinity, 0],
  End: [Infinity, 0],
};

// A cell is {ms, column, low, high}: an instant, the column that is drawn there, null in a gap, and the ends of a row.
// `page` tells:
//   zone           of the plant;
//   zoomed(ends)   called with {from, to, low, high};
//   read(cell)     called with each cell that the cursor is at; open(cell) when it is chosen;
//   lines(cell)    it in words, for the tooltip; decibels() what those of the bar are of;
//   marked()       the instant of a column that stays marked, or null.
export function waterfallChart(canvas, page) {
  const lang = document.documentElement.lang;
  const zoom = zooming(() => {
    const { x, y } = chart.scales;
    page.zoomed({ from: x.min, to: x.max, low: y.min, high: y.max });
  });
  let data = null; // of waterfall_image.js
  let range = 0; // dB that are told apart
  let image = null; // {key, canvas}: it is painted anew only when it would be another
  let cell = null; // where the cursor is

  // --- Painting ------------------------------------------------------------------------------------------------------

  function paint() {
    const { chartArea: area, scales, ctx: pen } = chart;
    const { x, y } = scales;
    const ratio = chart.currentDevicePixelRatio;
    const [width, height] = [area.width, area.height].map((it) => Math.max(1, Math.round(it * ratio)));
    const key = [width, height, x.min, x.max, y.min, y.max].join();
    if (image?.key !== key) {
      const toX = (ms) => ((ms - x.min) / (x.max - x.min)) * width;
      image = { key, canvas: waterfallImage(data, { width, height, toX, low: y.min, high: y.max, range }) };
    }
    pen.imageSmoothingEnabled = false;
    pen.drawImage(image.canvas, area.left, area.top, area.width, area.height);
  }

  function paintBar() {
    const { chartArea: area, ctx: pen } = chart;
    const { top } = data.answer.decibels;
    const left = area.right + BAR_PX.gap;
    for (let y = 0; y < area.height; y++) {
      pen.fillStyle = `rgb(${colourAt(1 - y / area.height).join()})`;
      pen.fillRect(left, area.top + y, BAR_PX.width, 1.5);
    }
    pen.fillStyle = pen.strokeStyle = cssValue("--bs-body-color");
    pen.lineWidth = 1;
    pen.strokeRect(left, area.top, BAR_PX.width, area.height);
    pen.font = `12px ${Chart.defaults.font.family}`;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    const step = range <= 20 ? 5 : range <= 40 ? 10 : 20;
    for (let db = Math.floor(top / step) * step; db >= top - range; db -= step) {
      const y = area.top + ((top - db) / range) * area.height;
      pen.fillRect(left + BAR_PX.width, y - 0.5, 4, 1);
      pen.fillText(String(db).replace("-", "−"), left + BAR_PX.width + 7, y);
    }
    pen.translate(area.right + BAR_PX.room - 8, (area.top + area.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(page.decibels(), 0, 0);
  }

  function line(ms, dash) {
    const { chartArea: area, scales, ctx: pen } = chart;
    const x = scales.x.getPixelForValue(ms);
    if (x < area.left || x > area.right) return;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(x, area.top);
    pen.lineTo(x, area.bottom);
    pen.stroke();
  }

  const middle = ({ low, high }) => (low + high) / 2;

  // In two tones, so that it is seen on light and on dark colours.
  function paintCursor() {
    const { chartArea: area, scales, ctx: pen } = chart;
    for (const [colour, width] of [["#000", 3], ["#fff", 1]]) {
      Object.assign(pen, { strokeStyle: colour, lineWidth: width });
      if (page.marked() !== null) line(page.marked(), [6, 4]);
      if (!cell) continue;
      line(cell.ms, []);
      const y = scales.y.getPixelForValue(middle(cell));
      pen.setLineDash([]);
      pen.beginPath();
      pen.moveTo(area.left, y);
      pen.lineTo(area.right, y);
      pen.stroke();
    }
  }

  const drawn = (paints) => () => {
    if (!data?.starts.length) return;
    chart.ctx.save();
    paints();
    chart.ctx.restore();
  };
  const layers = {
    id: "waterfall",
    beforeDatasetsDraw: drawn(paint),
    afterDatasetsDraw: drawn(paintCursor),
    afterDraw: drawn(paintBar),
  };

  // --- The cursor ----------------------------------------------------------------------------------------------------

  const rowsShown = () => Math.max(1, data.rows);
  const rowHeight = () => (chart.scales.y.max - chart.scales.y.min) / rowsShown();

  function cellAt(ms, value, column = data.columnAt(ms)) {
    const { y } = chart.scales;
    const row = Math.max(0, Math.min(rowsShown() - 1, Math.floor((value - y.min) / rowHeight())));
    return { ms, column, low: y.min + row * rowHeight(), high: y.min + (row + 1) * rowHeight() };
  }

  function goTo(next) {
    cell = next;
    const point = { x: cell.ms, y: middle(cell) };
    chart.data.datasets[0].data = [point];
    chart.update("none");
    const at = { x: chart.scales.x.getPixelForValue(point.x), y: chart.scales.y.getPixelForValue(point.y) };
    chart.tooltip.setActiveElements([{ datasetIndex: 0, index: 0 }], at);
    chart.update("none");
    page.read(cell);
  }

  function forget() {
    cell = null;
    chart.data.datasets[0].data = [];
    chart.tooltip.setActiveElements([], { x: 0, y: 0 });
  }

  function underPointer(event) {
    const { x, y } = Chart.helpers.getRelativePosition(event, chart);
    if (!data?.starts.length || !chart.isPointInArea({ x, y })) return null;
    return cellAt(chart.scales.x.getValueForPixel(x), chart.scales.y.getValueForPixel(y));
  }

  let pressed = null; // where the pointer was put down
  canvas.addEventListener("pointerdown", ({ clientX, clientY }) => (pressed = { clientX, clientY }));
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || event.buttons) return;
    const found = underPointer(event);
    canvas.style.cursor = found?.column == null ? "" : "pointer";
    if (found) goTo(found);
  });
  canvas.addEventListener("click", (event) => {
    const dragged = pressed && Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) > CLICK_PX;
    const found = dragged ? null : underPointer(event);
    if (!found) return;
    goTo(found);
    if (event.pointerType === "mouse" && found.column !== null) page.open(found);
  });

  // The keyboard goes from column to column, over gaps.
  function step([columns, rows]) {
    const { x, y } = chart.scales;
    const last = data.starts.length - 1;
    let column = cell ? (cell.column ?? data.starts.findLastIndex((it) => it <= cell.ms)) : last;
    let value = cell ? middle(cell) : (y.min + y.max) / 2;
    if (cell) {
      column += columns;
      value += rows * rowHeight();
    }
    column = Math.max(0, Math.min(last, column));
    const ms = Math.max(x.min, data.starts[column]);
    goTo(cellAt(ms, value, column));
  }

  canvas.addEventListener("keydown", (event) => {
    if (!data?.starts.length || event.ctrlKey || event.altKey || event.metaKey) return;
    if (STEPS[event.key]) step(STEPS[event.key]);
    else if (event.key === "Enter" && cell && cell.column !== null) page.open(cell);
    else return;
    event.preventDefault();
  });

  // --- The chart -----------------------------------------------------------------------------------------------------

  const title = (text, display = true) => ({ display, text });
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  luxon.Settings.defaultLocale = lang;
  const chart = new Chart(canvas, {
    type: "scatter",
    data: { datasets: [{ data: [], pointRadius: 0, pointHoverRadius: 0 }] },
    options: {
      locale: lang,
      animation: false,
      parsing: false,
      maintainAspectRatio: false,
      events: [], // the cursor is moved by what follows below
      layout: { padding: { right: BAR_PX.room } },
      scales: {
        x: {
          type: "time",
          adapters: { date: { zone: page.zone, locale: lang } },
          time: { displayFormats: displayFormats(lang) },
          title: title("", false),
          grid: {},
          border: {},
          ticks: { maxRotation: 0, autoSkipPadding: 24 },
        },
        y: { type: "linear", title: title(""), grid: {}, border: {}, ticks: { includeBounds: false } },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          borderWidth: 1,
          displayColors: false,
          callbacks: {
            title: () => page.lines(cell)[0],
            label: () => (canvas.clientWidth < NARROW_PX ? page.lines(cell).slice(1) : page.lines(cell).slice(1).join("; ")),
          },
        },
        zoom: { limits: { x: { minRange: 1000 }, y: { min: 0 } }, zoom: { ...zoom.options, mode: "xy" } },
      },
    },
    plugins: [layers],
  });

  // `most` is the end of what the other axis can show.
  function show({ data: next, from, to, low, high, most, floor, name }) {
    data = next;
    range = floor;
    image = null;
    forget();
    const { x, y } = chart.options.scales;
    if (!zoom.isTurning()) {
      Object.assign(x, { min: from, max: to });
      Object.assign(y, { min: low, max: high });
    }
    chart.options.plugins.zoom.limits.y.max = most;
    y.title.text = name;
    applyTheme(chart);
    chart.update("none");
  }

  document.addEventListener("themechange", () => {
    applyTheme(chart);
    chart.update("none");
  });
  applyTheme(chart);
  chart.update("none");
  return {
    chart,
    isTurning: zoom.isTurning,
    repaint: () => chart.update("none"),
    show,
    size: () => ({ width: chart.chartArea?.width ?? canvas.clientWidth, height: chart.chartArea?.height ?? canvas.clientHeight }),
  };
}
