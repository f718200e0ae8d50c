"""The request id for the page of a server error, which is rendered without a request."""

from django import template

from himmes.operations.logs import current_request_id

register = template.Library()


@register.simple_tag
def request_id() -> str:
    return current_request_id() or ""
