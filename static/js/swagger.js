// The page of templates/api/swagger.html. Without a token, calls are those of the person who is logged in.
const root = document.getElementById("api-docs");

SwaggerUIBundle({
  url: root.dataset.schema,
  domNode: root,
  deepLinking: true,
  // Else descriptions come with an inline image of the validator's website.
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (!request.headers.Authorization) {
      request.headers["X-CSRFToken"] = root.dataset.csrf;
    }
    return request;
  },
});
