// What all charts share: how a state looks, colours of the theme, numbers, and how a waveform becomes datasets.
window.himmes = (() => {
  // A state is told apart by its colour (CSS variable --state-<name>), by its hatching, and by its dashes and points.
  const STATES = {
    normal: { hatch: "solid", dash: [], point: "circle" },
    unbalance: { hatch: "rising", dash: [8, 3], point: "triangle" },
    looseness: { hatch: "dots", dash: [2, 2], point: "rect" },
    unbalance_looseness: { hatch: "falling", dash: [8, 3, 2, 3], point: "rectRot" },
  };
  const HATCH_PX = 8;
  // Single samples further apart than this many usual steps are not joined: something is missing between them.
  const GAP_STEPS = 4;
  const PX_PER_POINT = 8; // samples drawn closer than this are a line without points

  const cssValue = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const stateColour = (state) => cssValue(`--state-${state}`);

  // "{n} samples" and {n: 3} make "3 samples".
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const grouped = new Intl.NumberFormat(document.documentElement.lang);
  const count = (number) => grouped.format(number);
  const microseconds = (seconds) => seconds.toFixed(6);

  function hatching(state) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = HATCH_PX;
    const pen = tile.getContext("2d");
    const colour = stateColour(state);
    const { hatch } = STATES[state];
    // Almost opaque: hatchings that shine through each other could not be told apart.
    pen.globalAlpha = 0.85;
    pen.fillStyle = cssValue("--panel");
    pen.fillRect(0, 0, HATCH_PX, HATCH_PX);
    pen.globalAlpha = hatch === "solid" ? 0.4 : 0.16;
    pen.fillStyle = pen.strokeStyle = colour;
    pen.fillRect(0, 0, HATCH_PX, HATCH_PX);
    pen.globalAlpha = 0.9;
    pen.lineWidth = 1.5;
    if (hatch === "dots") {
      pen.fillRect(1, 1, 2, 2);
      pen.fillRect(5, 5, 2, 2);
    } else if (hatch !== "solid") {
      // Thrice, so that the stroke also fills the tile's corners.
      for (const shift of [-HATCH_PX, 0, HATCH_PX]) {
        const [left, right] = hatch === "rising" ? [HATCH_PX, 0] : [0, HATCH_PX];
        pen.moveTo(shift - 1, left + (left ? 1 : -1));
        pen.lineTo(shift + HATCH_PX + 1, right + (right ? 1 : -1));
      }
      pen.stroke();
    }
    return pen.createPattern(tile, "repeat");
  }

  // The legend's samples are painted by the same code as the chart, so that they cannot differ.
  function paintSwatches() {
    for (const swatch of document.querySelectorAll("[data-swatch]")) {
      const { width, height } = swatch.getBoundingClientRect();
      Object.assign(swatch, { width, height });
      const pen = swatch.getContext("2d");
      pen.fillStyle = hatching(swatch.dataset.swatch);
      pen.fillRect(0, 0, width, height);
      pen.strokeStyle = stateColour(swatch.dataset.swatch);
      pen.lineWidth = 2;
      pen.setLineDash(STATES[swatch.dataset.swatch].dash);
      for (const y of [1, height - 1]) {
        pen.beginPath();
        pen.moveTo(0, y);
        pen.lineTo(width, y);
        pen.stroke();
      }
    }
  }

  // A bucket is drawn as a step as wide as its time span: within it the values lay between the two edges, and nothing
  // more is known. Joining centres would draw values between buckets that nobody measured.
  function steps(waveform, values) {
    const points = [];
    waveform.time.forEach((time, index) => {
      const end = time + waveform.bucket_width;
      if (index && time - waveform.time[index - 1] > 1.5 * waveform.bucket_width) {
        points.push({ x: time, y: NaN, index });
      }
      points.push({ x: time, y: values[index], index }, { x: end, y: values[index], index });
    });
    return points;
  }

  function samples(waveform, values) {
    const distances = waveform.time.slice(1).map((time, index) => time - waveform.time[index]);
    const usual = [...distances].sort((a, b) => a - b)[distances.length >> 1];
    const points = [];
    waveform.time.forEach((time, index) => {
      if (index && distances[index - 1] > GAP_STEPS * usual) points.push({ x: time, y: NaN, index });
      points.push({ x: time, y: values[index], index });
    });
    return points;
  }

  const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const greatest = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  const spread = ({ min, max }) => greatest(max) - least(min);

  // Two datasets a state, its lower and its upper edge; single samples have the lower one only. The narrower an
  // envelope, the further in front it is drawn, so that none is hidden behind another.
  function waveformDatasets(waveform, names, widthPx) {
    const reduced = waveform.bucket_width > 0;
    const few = waveform.time.length * PX_PER_POINT < widthPx;
    const { states } = waveform;
    const narrowestFirst = Object.keys(states).sort((a, b) => spread(states[a]) - spread(states[b]));
    return Object.entries(states).flatMap(([state, { min, max }]) => {
      const colour = stateColour(state);
      const look = {
        state,
        label: names[state],
        order: narrowestFirst.indexOf(state),
        borderColor: colour,
        pointStyle: STATES[state].point,
        pointBackgroundColor: colour,
      };
      const edge = { ...look, borderWidth: 1, pointRadius: 0, pointHitRadius: 0, pointHoverRadius: 0 };
      return reduced
        ? [
            { ...edge, data: steps(waveform, min), fill: false },
            { ...edge, data: steps(waveform, max), fill: { target: "-1" }, backgroundColor: hatching(state) },
          ]
        : [
            {
              ...look,
              data: samples(waveform, min),
              fill: false,
              borderWidth: 1.5,
              borderDash: STATES[state].dash,
              pointRadius: few ? 3.5 : 0,
              pointHoverRadius: 5,
            },
          ];
    });
  }

  // A second recording over the first: the edges only, dashed, so that the first is seen through it.
  function overlayDatasets(waveform, names, widthPx) {
    return waveformDatasets(waveform, names, widthPx).map((dataset) => ({
      ...dataset,
      overlay: true,
      order: dataset.order - Object.keys(STATES).length,
      fill: false,
      borderWidth: 2,
      borderDash: [4, 4],
      pointBackgroundColor: cssValue("--panel"),
    }));
  }

  // An interaction mode for Chart.js: of each dataset the point at the pointer. Its own mode "index" takes the same index
  // of all datasets, which is another time of another recording. Of a dataset of `marks` only what is near is meant.
  const NEAR_PX = 10;
  function eachAtPointer(chart, event) {
    const position = Chart.helpers.getRelativePosition(event, chart);
    if (!chart.isPointInArea(position)) return [];
    const value = chart.scales.x.getValueForPixel(position.x);
    return chart.getSortedVisibleDatasetMetas().flatMap(({ index: datasetIndex, data: elements }) => {
      const { data, marks } = chart.data.datasets[datasetIndex];
      const index = indexAt(data, value);
      const element = elements[index];
      if (!element || (marks && Math.abs(element.x - position.x) > NEAR_PX)) return [];
      return [{ element, datasetIndex, index }];
    });
  }

  // Where in points of rising x the value lies: within a step its beginning, else the nearest; -1 when there are none.
  function indexAt(points, value) {
    let [low, high] = [0, points.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle].x <= value) low = middle + 1;
      else high = middle;
    }
    const [before, after] = [points[low - 1], points[low]];
    if (!after) return low - 1;
    if (before && (before.index === after.index || value - before.x <= after.x - value)) return low - 1;
    return Number.isNaN(after.y) ? low + 1 : low; // a break of the line has the place of the point behind it
  }

  // What line charts of many points have in common.
  const lineOptions = () => ({
    locale: document.documentElement.lang,
    animation: false,
    parsing: false,
    normalized: true,
    maintainAspectRatio: false,
    interaction: { mode: "eachAtPointer", axis: "x", intersect: false },
    elements: { line: { tension: 0 } },
  });
  const lineTooltip = {
    borderWidth: 1,
    usePointStyle: true,
    boxWidth: 8,
    boxHeight: 8,
    itemSort: (a, b) => a.datasetIndex - b.datasetIndex, // as the legend has them
  };

  // A pause that ends a turn of the wheel; longer than the zoom plugin's own, which does not join the events of a turn.
  const WHEEL_MS = 300;

  // Zooming along x by dragging, pinching and the wheel: `done` is called after each, once for a whole turn of the
  // wheel, as it is one step to go back by. `isTurning` tells whether the wheel is being turned.
  function zooming(done) {
    let turn = null; // a timer
    const options = {
      mode: "x",
      drag: { enabled: true, threshold: 5, borderWidth: 1 },
      pinch: { enabled: true },
      wheel: { enabled: true },
      onZoom({ trigger }) {
        if (trigger !== "wheel") return;
        clearTimeout(turn);
        turn = setTimeout(() => {
          turn = null;
          done();
        }, WHEEL_MS);
      },
      onZoomComplete: () => turn === null && done(),
    };
    return { options, isTurning: () => turn !== null };
  }

  // Colours that do not belong to a dataset.
  function applyTheme(chart) {
    const { scales, plugins } = chart.options;
    for (const scale of [scales.x, scales.y]) {
      scale.grid.color = cssValue("--chart-grid");
      scale.border.color = cssValue("--chart-axis");
      scale.ticks.color = scale.title.color = cssValue("--bs-body-color");
    }
    Object.assign(plugins.tooltip, {
      backgroundColor: cssValue("--chart-tooltip"),
      borderColor: cssValue("--chart-axis"),
      titleColor: cssValue("--bs-body-color"),
      bodyColor: cssValue("--bs-body-color"),
    });
    if (chart.config.options.plugins.zoom) {
      plugins.zoom.zoom.drag.backgroundColor = cssValue("--chart-selection");
      plugins.zoom.zoom.drag.borderColor = cssValue("--chart-axis");
    }
  }

  return {
    STATES,
    applyTheme,
    count,
    cssValue,
    eachAtPointer,
    fill,
    greatest,
    least,
    lineOptions,
    lineTooltip,
    microseconds,
    overlayDatasets,
    paintSwatches,
    stateColour,
    waveformDatasets,
    zooming,
  };
})();
