"""A capture as a message: the topic says whose it is, the payload the rest.

The topic is `<prefix>/<machine>/<sensor>` and, unless the payload names its axes, `/<axis>`, which may be `x,y,z` where
samples of several axes are interleaved. The payload is one of two:

- JSON as `POST /api/captures` takes it, without what the topic says: for boards that have JSON at hand.
- A line of JSON with the same names, then the samples as bytes, little-endian: a sixth of the bytes, and the float32 or
  int16 that the converter gave are what arrives. A line of text as its head needs no library on a board, and shows what
  it is in any tool that looks at messages.
"""

import json
from typing import Any

from django.conf import settings
from django.utils import translation
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.serializers import Serializer

from common.rest.bodies import read_json
from common.rest.rows import InvalidRows
from vibration.api.capture_posts import from_bytes, from_json
from vibration.api.capture_serializers import CaptureHead, PostedCapture
from vibration.captures.incoming import NewCapture

POSTER = "MQTT"
HEAD_BYTES = 10_000  # no head is longer: what has no line end within so many bytes has none
PLACES = ("machine_name", "sensor_no", "axis")  # the levels of a topic behind its prefix


class Refused(Exception):
    """A message that is no capture; the message of the exception says why."""


def read_message(topic: str, payload: bytes, prefix: str) -> list[NewCapture]:
    """The captures of a message. Raises Refused."""
    if len(payload) > settings.API_MAX_BODY_BYTES:
        raise Refused(f"it has {len(payload):,} bytes; at most {settings.API_MAX_BODY_BYTES:,} are read")
    said, samples = _apart(payload)
    said = _with_topic(said, topic, prefix)
    with translation.override("en"):  # as everything that a command says
        try:
            return _captures(said, samples)
        except ValidationError as error:
            raise Refused(reason_of(error)) from None


def _captures(said: dict[str, Any], samples: bytes | None) -> list[NewCapture]:
    """Raises ValidationError."""
    shape: Serializer = PostedCapture(data=said) if samples is None else CaptureHead(data=said)
    shape.is_valid(raise_exception=True)
    if samples is None:
        return from_json(shape.validated_data, POSTER)
    return from_bytes(shape.validated_data, samples, POSTER)


def _apart(payload: bytes) -> tuple[dict[str, Any], bytes | None]:
    """What is said, and the samples behind it; None where they stand in it. Raises Refused."""
    end = payload.find(b"\n", 0, HEAD_BYTES)
    if end >= 0:
        head = _object(payload[:end])
        if head is not None and "values" not in head:
            return head, payload[end + 1 :]
    whole = _object(payload)
    if whole is None:
        raise Refused("it is neither a JSON object nor a line with one before samples")
    return whole, None


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        said = read_json(text.decode())
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _with_topic(said: dict[str, Any], topic: str, prefix: str) -> dict[str, Any]:
    """With what the topic says. Raises Refused where both say it, and not the same."""
    levels = topic.removeprefix(f"{prefix}/").split("/")
    if not topic.startswith(f"{prefix}/") or len(levels) not in (2, 3):
        raise Refused(f"the topic is not {prefix}/<machine>/<sensor>/<axis>")
    of_topic = dict(zip(PLACES, levels, strict=False))
    for name, value in of_topic.items():
        if said.get(name, value) != value:
            raise Refused(f"{name} is {json.dumps(said[name], ensure_ascii=False)[:60]}, and in the topic {value}")
    return said | of_topic


def reason_of(error: APIException) -> str:
    """Everything that is wrong, by field, in one line."""
    if isinstance(error, InvalidRows):
        pairs = [(it["field"], it["message"]) for it in error.errors]
    else:
        detail = error.detail if isinstance(error.detail, dict) else {"": error.detail}
        pairs = [
            (field, str(message))
            for field, messages in detail.items()
            for message in (messages if isinstance(messages, list) else [messages])
        ]
    unnamed = ("", "non_field_errors")
    return "; ".join(dict.fromkeys(message if field in unnamed else f"{field}: {message}" for field, message in pairs))
