"""Request bodies of the API: JSON, plain or gzip-compressed, up to a limit."""

import json
import zlib
from collections import Counter

from django.conf import settings
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import Serializer

from common.rest.decoding import decoder_of
from common.rest.rows import TooLarge


class JsonParser(BaseParser):
    """JSON of at most `API_MAX_BODY_BYTES`, also once decompressed; no key twice in an object.

    NaN and Infinity are read, so that the field they stand in can be named; no field takes them. For a view that has a
    `row`, a serializer, a list of such rows is DecodedRows where it can be.
    """

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream, media_type=None, parser_context=None):
        body = _read(stream, parser_context["request"].META)
        row: Serializer | None = getattr(parser_context["view"], "row", None)
        if row is not None and (rows := decoder_of(row.__class__).decode(body)) is not None:
            return rows
        try:
            return json.loads(body.decode(), object_pairs_hook=each_once)  # JSON is UTF-8, by RFC 8259
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error or 'nested too deep'}.") from None


def _read(stream, headers: dict) -> bytes:
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


def each_once(pairs: list[tuple]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _value in pairs).most_common(1)[0][0]
        raise ValueError(f'an object has the key "{twice}" twice')
    return found
