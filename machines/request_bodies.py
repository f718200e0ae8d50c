"""What the headers say of a request's body."""

from rest_framework.exceptions import APIException


class LengthRequired(APIException):
    status_code = 411
    default_detail = "Send the body with a Content-Length; chunked bodies are not read."


def content_length(headers: dict) -> int:
    """The bytes of a body as it is sent. Raises LengthRequired when it is sent without saying how many."""
    if "chunked" in headers.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise LengthRequired
    length = headers.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() else 0
