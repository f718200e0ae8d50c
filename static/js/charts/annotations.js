// What is drawn into a chart beside its lines, for chartjs-plugin-annotation: moments, stretches, and levels of y.

import { cssValue } from "./colours.js";

const NOTHING = { adjustScaleRange: false, drawTime: "beforeDatasetsDraw" };

// A moment with a name, which a click on it leads to.
export const moment = ({ x, name, isNamed = true, url, dashed = false }) => ({
  ...NOTHING,
  type: "line",
  xMin: x,
  xMax: x,
  borderColor: cssValue("--problem"),
  borderWidth: 2,
  borderDash: dashed ? [6, 4] : [],
  hitTolerance: 4,
  label: {
    display: isNamed,
    content: name,
    position: dashed ? "end" : "start",
    backgroundColor: cssValue("--panel"),
    borderColor: cssValue("--problem"),
    borderWidth: 1,
    borderRadius: 2,
    color: cssValue("--bs-body-color"),
    font: { weight: "normal", size: 11 },
    padding: 3,
  },
  click: () => location.assign(url),
  enter: ({ chart }) => (chart.canvas.style.cursor = "pointer"), // by the object model, which the policy allows
  leave: ({ chart }) => (chart.canvas.style.cursor = ""),
});

// A stretch along x, shaded.
export const stretch = ({ from, to }) => ({
  ...NOTHING,
  type: "box",
  xMin: from,
  xMax: to,
  backgroundColor: cssValue("--chart-selection"),
  borderColor: cssValue("--chart-axis"),
  borderWidth: 0.5,
});
