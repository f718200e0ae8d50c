// How a chart leaves the page: as a picture, as numbers, as the address of exactly this view. The buttons are those of
// templates/vibration/take_out.html.

import { cssValue } from "./colours.js";

const NOT_IN_FILE_NAMES = /[\\/:*?"<>|\s]+/g;
const TITLE_PX = 15;
const MARGIN_PX = 10;

// `panel` has the buttons and, as data-url, the path of the API that answers `question()`: the present parameters of
// what is shown, without a format, as URLSearchParams. `name`, a text or a function that returns one, is written above
// the picture and names the files.
export function takeOut(panel, { canvas, name, question }) {
  const part = (out) => panel.querySelector(`[data-out=${out}]`);
  const said = panel.querySelector("[data-out-said]");
  const addressField = panel.querySelector("[data-out-address]");
  const title = () => (typeof name === "function" ? name() : name);
  const fileName = (ending) => `${title().replace(NOT_IN_FILE_NAMES, "_")}.${ending}`;

  function savePicture() {
    pictureOf(canvas, title()).toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = fileName("png");
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href)); // once the browser has taken it
    });
  }

  // The links are written when somebody is about to use one, so that they ask for what is shown at that moment.
  function writeLinks() {
    for (const format of ["csv", "json"]) {
      const asked = question();
      asked.set("format", format);
      part(format).href = `${panel.dataset.url}?${asked}`;
    }
    part("csv").download = fileName("csv");
  }

  async function copyAddress() {
    addressField.value = location.href;
    try {
      // Without HTTPS a browser has no clipboard for pages, and with it somebody may forbid it.
      await navigator.clipboard.writeText(location.href);
      addressField.hidden = true;
      said.textContent = said.dataset.copied;
    } catch {
      addressField.hidden = false;
      addressField.select();
      said.textContent = said.dataset.notCopied;
    }
  }

  part("png").addEventListener("click", savePicture);
  part("link").addEventListener("click", copyAddress);
  for (const event of ["focusin", "pointerdown", "click"]) {
    for (const format of ["csv", "json"]) part(format).addEventListener(event, writeLinks);
  }
  writeLinks();
}

// What the canvas shows, below its title, on the background of the theme: a canvas itself has none.
function pictureOf(canvas, title) {
  const scale = canvas.width / canvas.clientWidth || 1;
  const above = (TITLE_PX + 2 * MARGIN_PX) * scale;
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height + above;
  const pen = picture.getContext("2d");
  pen.fillStyle = cssValue("--panel");
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.fillStyle = cssValue("--bs-body-color");
  pen.font = `600 ${TITLE_PX * scale}px ${getComputedStyle(document.body).fontFamily}`;
  pen.textBaseline = "top";
  pen.fillText(title, MARGIN_PX * scale, MARGIN_PX * scale, picture.width - 2 * MARGIN_PX * scale);
  pen.drawImage(canvas, 0, above);
  return picture;
}
