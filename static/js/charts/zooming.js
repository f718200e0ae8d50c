// A pause that ends a turn of the wheel; longer than the zoom plugin's own, which does not join the events of a turn.
const WHEEL_MS = 300;

// Zooming along x by dragging, pinching and the wheel: `done` is called after each, once for a whole turn of the
// wheel, as it is one step to go back by. `isTurning` tells whether the wheel is being turned.
export function zooming(done) {
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
