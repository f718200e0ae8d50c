// The page of templates/api/redoc.html.
"use strict";

const root = document.getElementById("api-docs");

Redoc.init(root.dataset.schema, { hideDownloadButtons: false }, root);
