// Which part of a spectrum is shown: by dragging, wheel and pinch, by keys, and by the buttons of the panel. Each
// change is told as a range in Hz, which is then read again, down to single bins.

import { zooming } from "../charts/zooming.js";

const MIN_BINS = 4; // in what is shown: closer in there is nothing more to see
const STEP = 0.5; // of what is shown, to each side
const CLOSER = 4; // to each side a so many-th is left out

// `shown()` tells what is shown and what there is as {low, high, top, resolution}, or null while nothing is drawn;
// `goTo(low, high)` reads another part; `mayDrag()` tells whether dragging is free to zoom.
export function ranging(panel, { shown, goTo, mayDrag }) {
  const button = (name) => panel.querySelector(`[data-range=${name}]`);
  let chart = null;
  const zoom = zooming(() => goTo(chart.scales.x.min, chart.scales.x.max));

  // Where the wheel could only do nothing, it goes on scrolling the page.
  function mayZoom({ event }) {
    const now = shown();
    if (!now) return false;
    if (event.type !== "wheel") return mayDrag();
    return Boolean(event.deltaY) && (event.deltaY < 0 || now.low > 0 || now.high < now.top);
  }

  const within = (now, low, high) => goTo(Math.max(0, low), Math.min(now.top, high));

  function move(now, share) {
    const wanted = (now.high - now.low) * share;
    const shift = Math.max(-now.low, Math.min(now.top - now.high, wanted));
    if (shift) goTo(now.low + shift, now.high + shift);
  }

  const isClosest = (now) => now.high - now.low <= MIN_BINS * now.resolution;

  const actions = {
    closer(now) {
      const quarter = (now.high - now.low) / CLOSER;
      if (!isClosest(now)) within(now, now.low + quarter, now.high - quarter);
    },
    wider: (now) => within(now, now.low - (now.high - now.low) / 2, now.high + (now.high - now.low) / 2),
    lower: (now) => move(now, -STEP),
    higher: (now) => move(now, STEP),
    whole: (now) => goTo(0, now.top),
  };
  const keys = { "+": "closer", "=": "closer", "-": "wider", 0: "whole", PageUp: "lower", PageDown: "higher" };
  const arrows = { ArrowLeft: "lower", ArrowRight: "higher" };

  function act(name) {
    const now = shown();
    if (now) actions[name](now);
  }

  panel.addEventListener("click", ({ target }) => target.dataset?.range && act(target.dataset.range));

  return {
    options: () => ({ limits: { x: {} }, zoom: { ...zoom.options, onZoomStart: mayZoom } }),
    isTurning: zoom.isTurning,
    // Whether a key means the range; the arrows do unless a cursor has them.
    press(key, { hasCursor }) {
      const name = keys[key] ?? (hasCursor ? undefined : arrows[key]);
      if (name) act(name);
      return Boolean(name);
    },
    // What is shown has changed.
    follow(of) {
      chart = of;
      const now = shown();
      chart.options.plugins.zoom.limits.x = { min: 0, max: now.top, minRange: MIN_BINS * now.resolution };
      button("closer").disabled = isClosest(now);
      button("wider").disabled = button("whole").disabled = now.low <= 0 && now.high >= now.top;
      button("lower").disabled = now.low <= 0;
      button("higher").disabled = now.high >= now.top;
    },
  };
}
