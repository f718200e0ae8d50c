"""Every text that the code marks for translation stands in both catalogs, whole; read without gettext's programs."""

import ast
import re
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

KEYWORDS = ["_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"]
APPS = ["common", "himmes", "machines", "vibration", "diagnosis"]
STRING = r"""(u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")"""
TEMPLATE_CALL = re.compile(rf"\b(?P<name>_|n?p?gettext)\(\s*{STRING}(?:\s*,\s*{STRING})?")
PLACEHOLDER = re.compile(r"%\(\w+\)\w|\{\w*\}")


class InContext(NamedTuple):
    """A text that has another translation in another context."""

    context: str
    text: str


Message = str | tuple[str, str] | InContext  # two texts: with its plural


def texts_of_python(source: bytes) -> set[Message]:
    found = set()
    for _line, name, message, _comments in extract_python(BytesIO(source), KEYWORDS, [], {"encoding": "utf-8"}):
        if name.startswith("pgettext"):
            found.add(InContext(*message))
        elif name.startswith("ngettext"):
            found.add(tuple(message[:2]))
        elif message:
            found.add(message)
    return found


def texts_of_template(source: str) -> set[Message]:
    found = set()
    for match in TEMPLATE_CALL.finditer(templatize(source)):
        assert match["name"] != "npgettext", "plurals in a context are not handled here"
        # The template engine, not Python, gives % its meaning: templatize has doubled it already.
        texts = [ast.literal_eval(text) for text in match.groups()[1:] if text]
        kind = {"ngettext": tuple, "pgettext": lambda pair: InContext(*pair)}.get(match["name"], lambda one: one[0])
        found.add(kind(texts))
    return found


def texts_of_project() -> dict[Message, Path]:
    """Each text, and one file that it stands in."""
    found = {}
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            if not {"tests", "migrations"} & set(path.parts):
                found |= dict.fromkeys(texts_of_python(path.read_bytes()), path.relative_to(settings.BASE_DIR))
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        found |= dict.fromkeys(texts_of_template(path.read_text("utf-8")), path.relative_to(settings.BASE_DIR))
    return found


def catalog(language: str):
    with (settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def forms(text: Message) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_text_is_translated(language):
    entries = {InContext(entry.context, entry.id) if entry.context else entry.id: entry for entry in catalog(language)}
    wrong = []
    for text, path in texts_of_project().items():
        entry = entries.get(text)
        if entry is None:
            wrong.append(f"{path}: not in the catalog: {text!r}")
        elif entry.fuzzy:
            wrong.append(f"{path}: fuzzy: {text!r}")
        elif not all(forms(entry.string)):
            wrong.append(f"{path}: not translated: {text!r}")
    assert not wrong, f"{language}: update locale/{language}/LC_MESSAGES/django.po\n" + "\n".join(sorted(wrong))


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_placeholders_survive_translation(language):
    wrong = []
    for entry in catalog(language):
        # The singular may leave its number out, so the plural is what counts.
        expected = sorted(PLACEHOLDER.findall(forms(entry.id)[-1]))
        wrong += [
            f"{entry.id!r} -> {string!r}"
            for string in forms(entry.string)[-1:]
            if entry.id and string and sorted(PLACEHOLDER.findall(string)) != expected
        ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_a_catalog_has_a_plain_heading(language):
    header = catalog(language)
    assert not header.fuzzy, "a fuzzy heading makes some compilers leave the whole catalog out"
    text = (settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.po").read_text("utf-8")
    assert "@" not in text.split("\n\n", 1)[0]


def test_texts_are_found_in_templates_and_code():
    source = """{% load i18n %}{% translate "One" %}{% blocktranslate trimmed count n=n %}
        {{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}{% if "it's" %}{{ _("Two's") }}{% endif %}
        {% translate "May" context "month" %}"""
    assert texts_of_template(source) == {"One", ("%(n)s day", "%(n)s days"), "Two's", InContext("month", "May")}
    source = b'_("One " "line")\nngettext("day", "days", n)\n_(name)\npgettext("month", "May")\ngettext_noop("Noted")'
    assert texts_of_python(source) == {"One line", ("day", "days"), InContext("month", "May"), "Noted"}
