"""The WSGI handler and its request class."""

import re

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

from common.database.connections import discard_unfinished


class Utf8Request(WSGIRequest):
    """A request whose texts are UTF-8, whatever its Content-Type says.

    Django would read even the query string in the charset named there, and fail before any middleware for one such as
    `idna` or `zlib`.
    """

    def __init__(self, environ):
        environ["CONTENT_TYPE"] = re.sub("charset", "ignored", environ.get("CONTENT_TYPE", ""), flags=re.IGNORECASE)
        super().__init__(environ)


class Handler(WSGIHandler):
    request_class = Utf8Request

    def __call__(self, environ, start_response):
        # Nothing that an earlier request of this thread met is to be met again.
        discard_unfinished()
        return super().__call__(environ, start_response)
