// The list of alarms by the keyboard: from one to the next, acknowledge, open. The one that is meant has the focus.

const links = () => [...document.querySelectorAll(".alarm-story")];
const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

function focusOn(link) {
  link?.focus();
  link?.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = links();
  const here = all.indexOf(current());
  focusOn(here < 0 ? all[by > 0 ? 0 : all.length - 1] : all[here + by]);
}

const current = () => document.activeElement?.closest(".alarm")?.querySelector(".alarm-story") ?? null;

function acknowledge() {
  const link = current();
  const button = link?.closest(".alarm").querySelector(".acknowledge");
  if (!button) return;
  // What was acknowledged goes further down; who works through the list goes on with the next one that needs it.
  const all = links();
  const next = all.slice(all.indexOf(link) + 1).find((it) => it.closest(".alarm").querySelector(".acknowledge"));
  button.click();
  focusOn(next ?? link);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.isComposing) return;
  // Keys belong to whatever is typed into, and the arrows to whatever else moves by them.
  if (event.target.closest("input, select, textarea, summary, [contenteditable]")) return;
  const isLetter = event.code.startsWith("Key");
  // By its place on the keyboard: with Korean input on, the key of "j" says "ㅓ".
  const key = isLetter ? event.code.slice(3).toLowerCase() : event.key;
  if (key in STEPS && links().length) {
    event.preventDefault();
    step(STEPS[key]);
  } else if (key === "a" && !event.repeat) {
    acknowledge();
  }
});
