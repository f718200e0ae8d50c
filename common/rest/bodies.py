"""Request bodies of the API, plain or gzip-compressed, up to a limit."""

import json
import zlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from django.conf import settings
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from common.rest.rows import TooLarge

BYTES = "application/octet-stream"


class Stream(Protocol):
    def read(self, count: int, /) -> bytes: ...


def read_body(stream: Stream, headers: Mapping[str, str]) -> bytes:
    """The whole body, decompressed; `headers` are those of WSGI. Raises TooLarge beyond `API_MAX_BODY_BYTES`.

    Raises ParseError for gzip data that are none, and UnsupportedMediaType for another encoding.
    """
    limit = settings.API_MAX_BODY_BYTES
    too_large = TooLarge(f"The body has more than {limit:,} bytes, the limit of one request. Send parts.")
    body = stream.read(limit + 1)
    encoding = headers.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if encoding == "gzip":
        decompress = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            body = decompress.decompress(body, limit + 1)
        except zlib.error as error:
            raise ParseError(f"The body is not gzip data: {error}.") from None
        if len(body) <= limit and not decompress.eof:
            raise ParseError("The gzip data ends before its end mark.")
        if decompress.unused_data:
            raise ParseError("The gzip data continues after its end mark; send one gzip member.")
    elif encoding != "identity":
        raise UnsupportedMediaType(encoding, f"Content-Encoding {encoding} is not read; send gzip or none.")
    if len(body) > limit:
        raise too_large
    return body


class BytesParser(BaseParser):
    """A body that is what it is: `request.data` are its bytes, up to `API_MAX_BODY_BYTES`, also once decompressed."""

    media_type = BYTES

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        # In the stubs each body is a mapping.
        return read_body(stream, parser_context["request"].META if parser_context else {})


def read_json(text: str) -> Any:
    """What a JSON text says. Raises ValueError for one that is not valid, nests too deep or gives a key twice.

    NaN and Infinity are read, so that the field they stand in can be named.
    """
    try:
        return json.loads(text, object_pairs_hook=each_once)
    except RecursionError:
        raise ValueError("nested too deep") from None


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises ValueError for a key that it gives twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _value in pairs).most_common(1)[0][0]
        raise ValueError(f'an object has the key "{twice}" twice')
    return found
