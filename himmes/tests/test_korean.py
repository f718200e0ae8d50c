"""Korean as a plant speaks it: one word for each thing, no particle after a value, one tone; also of packages' pages.

The catalogs are read without gettext's programs, those of the packages where they are installed.
"""

import re
from functools import cache
from pathlib import Path

import django
import pytest
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import RequestFactory
from django.utils import translation

from himmes.tests.test_documents import not_said_in
from himmes.tests.test_translations import texts_of_python

PACKAGE_TEXTS = settings.BASE_DIR / "himmes" / "package_texts"
OURS = ["common", "himmes", "machines", "vibration", "diagnosis"]
DOMAINS = ["django", "djangojs"]
VALUE = r"(?:%\(\w+\)[sdr]|%[sd]|\{\w*(?::\w+)?\})[\"”’']?"
# Particles depend on the sound before them, which nobody knows of a value: the sentence is turned so that it has none.
PARTICLE = re.compile(
    r"[을를이가은는와과]\s?[(/]\s?[을를이가은는와과]|\((?:으|이|들)\)"
    rf"|{VALUE}\s?(?:을|를|이|가|은|는|와|과|으로|로)(?![가-힣])"
)
TONE = re.compile(r"세요|해\s?주십시오|독자|당신|바랍니다|나요\?|네,|아뇨|아니오")
# Texts of packages that no page of ours shows.
UNSEEN = re.compile(
    r"password reset|your (?:new )?password twice|[Ff]orgotten|set\.  You|choose a new password|receive an email|"
    r"instructions for setting|for security’s sake|[Ff]ile|image|UUID|JSON|slug|“Referer|referrer|CSRF|"
    r"database installation|domain name|separated by commas|duration|number of days|allow_future|date string|"
    r"_plural\)s available|date_field\)s|does not exist$|[Cc]ontent type|correlation id"
)

Key = tuple[str | None, str]  # context and singular


def read(path: Path) -> dict[Key, str]:
    """Each text of a catalog and its translation; of plural forms the first, as Korean has one."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        found = {}
        for entry in read_po(file, abort_invalid=True):
            if entry.id:
                singular = entry.id if isinstance(entry.id, str) else entry.id[0]
                found[entry.context, singular] = entry.string if isinstance(entry.string, str) else entry.string[0]
        return found


def folders_of_packages() -> list[Path]:
    """The packages with catalogs that Django reads, those that win last; without ours."""
    configs = [it for it in apps.get_app_configs() if it.name.partition(".")[0] not in OURS]
    return [Path(django.__file__).parent / "conf", *(Path(it.path) for it in reversed(configs))]


def sources_of(folder: Path) -> set[Key]:
    """What a package marks for translation in Python; the catalogs of some lag behind."""
    texts = {text for path in folder.rglob("*.py") for text in texts_of_python(path.read_bytes())}
    return {(None, text if isinstance(text, str) else text[0]) for text in texts}


@cache
def texts_of_packages(domain: str) -> dict[Key, str]:
    """Each text that an installed package has, and its Korean; empty where it has none."""
    found = {}
    for folder in folders_of_packages():
        korean = folder / "locale" / "ko" / "LC_MESSAGES" / f"{domain}.po"
        if not korean.exists() and domain == "django":
            found |= dict.fromkeys(sources_of(folder) - found.keys(), "")
        found |= read(korean)
    return found


def overriding(domain: str) -> dict[Key, str]:
    return read(PACKAGE_TEXTS / "ko" / "LC_MESSAGES" / f"{domain}.po")


def ours() -> dict[Key, str]:
    return read(settings.BASE_DIR / "locale" / "ko" / "LC_MESSAGES" / "django.po")


def test_no_text_of_ours_takes_the_place_of_a_text_of_a_package_that_means_something_else():
    """A word that stands alone gets a context (`pgettext`, `translate ... context`), so that a package has its own."""
    of_packages = texts_of_packages("django") | overriding("django")
    taken = {key: (of_packages[key], text) for key, text in ours().items() if of_packages.get(key, text) != text}
    assert not taken


def labels_in_histories() -> set[str]:
    """The names of the fields of all forms of the administration, as Django keeps them in the history of a row."""
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_active=True, is_staff=True)
    found = set()
    with translation.override(None):
        for it in admin.site._registry.values():
            if it.has_change_permission(request):
                forms = [it.get_form(request, it.model(), change=True)]
                forms += [inline.get_formset(request).form for inline in it.get_inline_instances(request)]
                found |= {str(field.label) for form in forms for field in form.base_fields.values()}
    return found


def test_the_history_of_a_row_names_its_fields_in_korean():
    known = texts_of_packages("django") | overriding("django") | ours()
    unknown = {label for label in labels_in_histories() if not known.get((None, label))}
    assert not unknown, f"{unknown}: add them, with their capitals, to himmes/package_texts/ko/LC_MESSAGES/django.po"


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_text_that_takes_the_place_of_a_package_s_has_one_there_that_is_another(domain):
    of_packages = texts_of_packages(domain)
    assert len(of_packages) > 50
    of_packages = dict.fromkeys(((None, label) for label in labels_in_histories()), "") | of_packages
    needless = {key for key, text in overriding(domain).items() if of_packages.get(key, text) == text}
    assert not needless


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_text_of_a_package_guesses_a_particle_or_takes_another_tone(domain):
    shown = texts_of_packages(domain) | overriding(domain)
    bad = {
        key: text
        for key, text in shown.items()
        if (PARTICLE.search(text) or TONE.search(text)) and not UNSEEN.search(key[1])
    }
    assert not bad, "\n".join(f"{key}: {text}" for key, text in bad.items())


def test_no_text_of_ours_guesses_a_particle_or_takes_another_tone():
    bad = {key: text for key, text in ours().items() if PARTICLE.search(text) or TONE.search(text)}
    assert not bad, "\n".join(f"{key}: {text}" for key, text in bad.items())


def test_each_thing_has_one_word_in_the_catalogs():
    texts = ours() | overriding("django") | overriding("djangojs")
    wrong = {text: found for text in texts.values() if (found := not_said_in(text))}
    assert not wrong


def test_each_thing_has_one_word_in_templates_and_code():
    """Templates take theirs from the catalogs; Korean in the code is that of the API's schema."""
    files = [*settings.BASE_DIR.glob("templates/**/*.html"), *settings.BASE_DIR.glob("static/js/*.js")]
    files += [it for app in OURS for it in (settings.BASE_DIR / app).rglob("*.py") if "tests" not in it.parts]
    files.remove(settings.BASE_DIR / "vibration/formats/names.py")  # what others write in their files
    assert len(files) > 150
    wrong = {str(it): found for it in files if (found := not_said_in(it.read_text("utf-8")))}
    assert not wrong


def test_a_history_says_of_what_it_is():
    """상태 이력 is the timeline, 진단 이력 the diagnoses of a machine, 변경 이력 the changes of a row in the admin."""
    texts = [*ours().values(), *overriding("django").values()]
    assert [text for text in texts if re.search(r"(?<!상태 )(?<!진단 )(?<!변경 )이력", text)] == []
