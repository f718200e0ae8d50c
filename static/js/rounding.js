// Numbers rounded for the eye.

export const NONE = "–";
const language = document.documentElement.lang;
export const plain = new Intl.NumberFormat(language, { maximumSignificantDigits: 4 });
const scientific = new Intl.NumberFormat(language, { maximumSignificantDigits: 4, notation: "scientific" });
const full = new Intl.NumberFormat(language, { minimumSignificantDigits: 4, maximumSignificantDigits: 4 });
export const fixed = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export function rounded(number, usual = plain) {
  const size = Math.abs(number);
  return (size && (size < 1e-4 || size >= 1e6) ? scientific : usual).format(number);
}

// Rounded for the eye, whole for who copies or reads it by program.
export function write(cell, number, format = (it) => rounded(it, full)) {
  const value = document.createElement("data");
  value.value = number ?? "";
  value.textContent = number === null ? NONE : format(number);
  cell.replaceChildren(value);
}
