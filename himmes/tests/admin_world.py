"""How tests use the forms of the administration."""

import re
from html.parser import HTMLParser


class _Form(HTMLParser):
    """What a browser would send of the page's form, if nobody touched it."""

    def __init__(self):
        super().__init__()
        self.fields: dict[str, str | list[str]] = {}
        self._inside, self._select, self._textarea = False, None, None

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name = given.get("name")
        if tag == "form":
            self._inside = re.search(r"(_form|changelist-form)$", given.get("id", "")) is not None
        if not self._inside:
            return
        if tag == "input" and name and given.get("type") not in ("submit", "button", "file"):
            if given.get("type") in ("checkbox", "radio") and "checked" not in given:
                return
            self.fields[name] = given.get("value", "on" if given.get("type") == "checkbox" else "")
        elif tag == "select":
            self._select = (name, "multiple" in given)
            if "multiple" in given:
                self.fields[name] = []
        elif tag == "option" and self._select and "selected" in given:
            name, many = self._select
            self.fields[name] = [*self.fields[name], given["value"]] if many else given["value"]
        elif tag == "textarea":
            self._textarea = name
            self.fields[name] = ""

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data):
        if self._textarea:
            self.fields[self._textarea] += data.removeprefix("\r\n").removeprefix("\n")


def opened(client, path: str, **changes) -> dict:
    """The fields of the form at this address, with what somebody enters."""
    form = _Form()
    form.feed(client.get(path).text)
    assert form.fields, path
    return form.fields | changes
