// Colours of the theme; a canvas takes them from the styles of the page.

export const cssValue = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const stateColour = (state) => cssValue(`--state-${state}`);

// Colours that do not belong to a dataset.
export function applyTheme(chart) {
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
