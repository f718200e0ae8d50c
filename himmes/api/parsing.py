"""Request bodies of the API that are JSON."""

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import Serializer

from common.rest.bodies import read_body, read_json
from common.rest.decoding import decoder_of


class JsonParser(BaseParser):
    """JSON of at most `API_MAX_BODY_BYTES`, also once decompressed; no key twice in an object.

    NaN and Infinity are read, so that the field they stand in can be named; no field takes them. For a view that has a
    `row`, a serializer, a list of such rows is DecodedRows where it can be.
    """

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream, media_type=None, parser_context=None):
        body = read_body(stream, parser_context["request"].META)
        row: Serializer | None = getattr(parser_context["view"], "row", None)
        if row is not None and (rows := decoder_of(row.__class__).decode(body)) is not None:
            return rows
        try:
            return read_json(body.decode())  # JSON is UTF-8, by RFC 8259
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from None
