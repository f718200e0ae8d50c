// The first second of an axis of a file that is about to be stored.

import { applyTheme } from "./colours.js";
import { lineOptions, lineTooltip } from "./line_charts.js";
import { waveformDatasets } from "./waveform_datasets.js";

const SIGNAL = "signal";
const charts = new Set();

// `drawn` is {time, min, max, bucket_width} as the API has waveforms.
export function drawFirstSecond(canvas, { min, max, ...drawn }, words) {
  const waveform = { ...drawn, states: { [SIGNAL]: { min, max } } };
  const title = (text) => ({ display: true, text });
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets: [] },
    options: {
      ...lineOptions(),
      scales: {
        x: { type: "linear", title: title(words.seconds), grid: {}, border: {}, ticks: { maxRotation: 0 } },
        y: { title: title(""), grace: "5%", grid: {}, border: {}, ticks: {} },
      },
      plugins: { legend: { display: false }, tooltip: { ...lineTooltip, enabled: false } },
    },
  });
  const draw = () => {
    applyTheme(chart);
    chart.data.datasets = waveformDatasets(waveform, { [SIGNAL]: "" }, chart.chartArea.width);
    chart.options.scales.x.max = drawn.time.at(-1) + drawn.bucket_width;
    chart.update("none");
  };
  charts.add({ canvas, chart, draw });
  chart.update("none"); // so that there is an area
  draw();
}

// Charts whose place on the page is gone are given up.
export function forgetCharts() {
  for (const it of charts) {
    if (it.canvas.isConnected) continue;
    it.chart.destroy();
    charts.delete(it);
  }
}

document.addEventListener("themechange", () => {
  for (const { draw } of charts) draw();
});
