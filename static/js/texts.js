// Texts that come from the page, with what belongs in them.

// "{n} samples" and {n: 3} make "3 samples".
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const grouped = new Intl.NumberFormat(document.documentElement.lang);
export const count = (number) => grouped.format(number);
