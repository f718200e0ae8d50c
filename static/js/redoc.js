// The page of templates/api/redoc.html.
// ReDoc's footer wants a logo from its maker's server. Nothing leaves the plant's network: to ReDoc, that server fails.
const image = HTMLImageElement.prototype;
const { set: setSource, get: getSource } = Object.getOwnPropertyDescriptor(image, "src");
const setAttribute = image.setAttribute;
const isOurs = (address) => address.startsWith("data:") || new URL(address, location.href).origin === location.origin;

Object.defineProperty(image, "src", {
  get: getSource,
  set(address) {
    if (isOurs(address)) setSource.call(this, address);
    else queueMicrotask(() => this.dispatchEvent(new Event("error")));
  },
});
image.setAttribute = function (name, value) {
  if (name === "src") this.src = value;
  else setAttribute.call(this, name, value);
};

const root = document.getElementById("api-docs");
Redoc.init(root.dataset.schema, {}, root);
