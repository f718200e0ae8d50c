"""The documents speak of what exists, in both languages alike, and their examples answer as they say."""

import json
import re
import shlex
from functools import cache
from io import StringIO
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from babel.messages.pofile import read_po
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command, get_commands, load_command_class
from django.urls import Resolver404, resolve

from diagnosis import urls as diagnosis_urls
from diagnosis.models import Episode
from diagnosis.tests.world import post
from himmes.api import urls as api_urls
from himmes.tests import manual
from himmes.tests.manual import DOCUMENTS, GUIDES, KOREAN, READMES, ROOT
from vibration import urls as vibration_urls
from vibration.models import Capture

MOST_LINES, MOST_LETTERS, MOST_WORDS = 120, 120, 1200
# In documents, but no addresses of pages: what is answered before addresses are looked at, and folders of a server
NO_PAGES = {"/healthz", "/readyz", "/static/", "/tmp", "/data"}  # noqa: S108 - only a word of a document
MADE_AT_RUN_TIME = ("var/", "secrets/", "node_modules/", ".venv/", "measured/", "staticfiles/")
OUR_APPS = {app.name for app in apps.get_app_configs() if "site-packages" not in app.path}
OUR_COMMANDS = {name: app for name, app in get_commands().items() if app in OUR_APPS}
SETTING = re.compile(r"\b(DJANGO_[A-Z_]+[A-Z]|DATABASE_URL)\b")

each_guide = pytest.mark.parametrize("document", GUIDES, ids=manual.name_of)
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=manual.name_of)
TRANSLATED = [page for page in KOREAN if page.name != "README.md"]  # not docs/ko/README.md, an index of its own


def settings_that_are_read() -> set[str]:
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "himmes" / "settings.py").read_text()))


@pytest.mark.parametrize("readme", READMES, ids=manual.name_of)
def test_the_readme_is_short(readme):
    text = readme.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= MOST_LINES
    assert [line for line in lines if len(line) > MOST_LETTERS] == []
    assert len(text.split()) <= MOST_WORDS
    assert {"make run", "make test"} <= {line.strip() for line in lines}


@each_guide
def test_every_make_target_that_a_document_names_exists(document):
    targets = set(re.findall(r"\bmake ([a-z][a-z-]+)", manual.code_of(document)))
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_make_target_is_in_the_guide_for_those_who_change_the_code():
    targets = set(re.findall(r"^([a-z-]+): ##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]+)", manual.code_of(ROOT / "CONTRIBUTING.md")))
    assert targets - {"help", "run"} <= named


@each_guide
def test_every_command_that_a_document_names_exists(document):
    named = set(re.findall(r"manage\.py ([a-z_]+)", manual.code_of(document)))
    named |= {word for word in manual.words_in_code(document) if re.fullmatch(r"[a-z]+_(vibration|recording)", word)}
    assert named <= set(get_commands())


@pytest.mark.parametrize("reference", ["docs/commands.md", "docs/ko/commands.md"])
def test_every_command_of_ours_is_in_the_reference(reference):
    cells = [row[0] for row in manual.rows_of(ROOT / reference)]
    assert set(re.findall(r"`([a-z_]+)", "\n".join(cells))) == set(OUR_COMMANDS)


@each_guide
def test_every_command_line_of_a_document_is_understood_by_its_command(document):
    for block in manual.blocks_of(document):
        for line in manual.command_lines(block.text):
            line = re.sub(r"\$\([^)]*\)", "now", line).replace("...", "")
            for name, rest in re.findall(r"manage\.py ([a-z_]+)([^;|&#\n]*)", line):
                if name in OUR_COMMANDS:
                    parser = load_command_class(OUR_COMMANDS[name], name).create_parser("manage.py", name)
                    parser.parse_args(shlex.split(rest))


def options_of(command: str) -> set[str]:
    parser = load_command_class(OUR_COMMANDS[command], command).create_parser("manage.py", command)
    return {option for action in parser._actions for option in action.option_strings if option.startswith("--")}


@each_guide
def test_every_option_that_a_document_names_is_one_of_our_commands_or_of_another_program(document):
    ours = set().union(*map(options_of, OUR_COMMANDS))
    others = {"--no-deps", "--multi-az"}  # of Docker Compose and AWS
    named = {found[0] for word in manual.words_in_code(document) if (found := re.match(r"--[a-z-]+", word))}
    assert named - others <= ours


@pytest.mark.parametrize("guide", ["docs/import.md", "docs/ko/import.md"])
def test_the_guide_of_files_has_every_option_of_the_import(guide):
    of_every_command = options_of("first_start")
    named = set(re.findall(r"--[a-z-]+", "\n".join(manual.words_in_code(ROOT / guide))))
    assert options_of("import_vibration") - of_every_command <= named


@each_guide
def test_every_setting_that_a_document_names_is_read(document):
    named = set(SETTING.findall(document.read_text(encoding="utf-8"))) - {"DJANGO_SETTINGS_MODULE"}
    assert {name.removesuffix("_FILE") for name in named} <= settings_that_are_read()


@pytest.mark.parametrize("reference", ["docs/settings.md", "docs/ko/settings.md"])
def test_the_reference_of_settings_has_each_one_once(reference):
    cells = [row[0].strip("`") for row in manual.rows_of(ROOT / reference)[1:]]
    assert sorted(cells) == sorted(settings_that_are_read())


def test_the_example_of_settings_has_each_one_and_no_other():
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == settings_that_are_read()


@pytest.mark.parametrize("guide", ["docs/api.md", "docs/ko/api.md"])
def test_the_guide_of_the_api_has_every_path(guide):
    assert {page.name for page in api_urls.urlpatterns} <= views_named_in(ROOT / guide)


@pytest.mark.parametrize("guide", ["docs/pages.md", "docs/ko/pages.md"])
def test_the_guide_of_the_pages_has_each_of_them(guide):
    pages = [*diagnosis_urls.urlpatterns, *vibration_urls.urlpatterns]
    names = {page.name for page in pages} - {"machine-by-name"}  # the page of a machine under another address
    assert names | {"login", "logout", "password", "admin:index"} <= views_named_in(ROOT / guide)


def views_named_in(document: Path) -> set[str]:
    """The views behind the addresses in the first column of its tables."""
    cells = "\n".join(row[0] for row in manual.rows_of(document))
    return {resolve(re.sub(r"<\w+>", "1", path)).view_name for path in re.findall(r"`(/[^`?]*)`", cells)}


def is_page(path: str) -> bool:
    path = urlsplit(path).path or "/"
    try:
        resolve(re.sub(r"<\w+>", "1", path))
    except Resolver404:
        return False
    return True


@each_guide
def test_every_page_that_a_document_names_exists(document):
    paths = {word for word in manual.words_in_code(document) if re.fullmatch(r"/[a-z/<>-]*(\?[a-z0-9=&]*)?", word)}
    paths |= {link for link in manual.links_of(document) if link.startswith("http://127.0.0.1:8000")}
    assert [path for path in paths - NO_PAGES if not is_page(path)] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=manual.name_of)
def test_every_link_of_a_document_leads_somewhere(document):
    for link in manual.links_of(document):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (document.parent / unquote(parts.path)).resolve() if parts.path else document
        assert target.exists(), link
        assert ROOT in target.parents, link
        if parts.fragment:
            assert unquote(parts.fragment) in manual.anchors_of(target), link


@cache
def files_and_folders() -> set[Path]:
    """Of the repository itself, as far as documents may name them."""
    tops = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return {path for top in tops if f"{top.name}/" not in MADE_AT_RUN_TIME for path in (top, *top.rglob("*"))}


@each_document
def test_every_file_that_a_document_names_exists(document):
    paths = files_and_folders()
    folders = {path.name for path in paths if path.is_dir()}
    modules = {path.name for path in paths if path.suffix == ".py"}
    for word in manual.words_in_code(document):
        word = word.split("::")[0]
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word) or word.startswith(MADE_AT_RUN_TIME):
            continue
        if "/" in word.rstrip("/") and word.split("/")[0] in {path.name for path in ROOT.iterdir()}:
            assert (ROOT / word).exists() or (ROOT / "templates" / word).exists(), word
        elif word.endswith("/"):
            assert word.rstrip("/") in folders, word
        elif word.endswith(".py"):
            assert word in modules | {path.name for path in ROOT.glob("*.py")}, word


@each_guide
def test_every_module_or_logger_that_a_document_names_exists(document):
    source = "\n".join(path.read_text("utf-8") for path in files_and_folders() if path.suffix == ".py")
    tops = "|".join(app.split(".")[0] for app in sorted(OUR_APPS | {"common", "bench", "scripts"}))
    for word in manual.words_in_code(document):
        if re.fullmatch(rf"({tops})(\.[a-z_]+)+", word):
            path = ROOT / word.replace(".", "/")
            is_module = path.is_dir() or path.with_suffix(".py").is_file()
            assert is_module or f'getLogger("{word}")' in source, word


@pytest.mark.parametrize("korean", TRANSLATED, ids=manual.name_of)
def test_korean_and_english_say_the_same(korean):
    """The same sections, commands, tables, and names of options, settings and pages."""
    english = ROOT / "README.md" if korean.parent == ROOT else ROOT / "docs" / korean.name
    assert [level for level, _text in manual.headings_of(korean)] == [
        level for level, _text in manual.headings_of(english)
    ]
    assert _commands(korean) == _commands(english)
    assert len(manual.rows_of(korean)) == len(manual.rows_of(english))
    assert _names(korean) == _names(english)


def _commands(document: Path) -> list[str]:
    """The blocks of code without words of a language, such as the names in a header line."""
    return [re.sub(r"^\s*[^\d\s].*,.*,.*,.*,.*$", "", block.text, flags=re.M) for block in manual.blocks_of(document)]


def _names(document: Path) -> set[str]:
    return {word for word in manual.words_in_code(document) if re.match(r"--[a-z]|DJANGO_|/[a-z]|\{", word)}


def test_the_korean_index_names_every_korean_page():
    index = ROOT / "docs" / "ko" / "README.md"
    assert {path.name for path in index.parent.glob("*.md")} - {"README.md"} <= set(manual.links_of(index))


def test_the_index_names_every_page():
    index = ROOT / "docs" / "README.md"
    assert {path.name for path in index.parent.glob("*.md")} - {"README.md"} <= set(manual.links_of(index))


def test_a_link_from_korean_to_a_page_in_english_says_so():
    for document in KOREAN:
        for link, behind in re.findall(r"\]\(([^)]+\.md)(?:#[^)]*)?\)(.{0,14})", document.read_text(encoding="utf-8")):
            target = (document.parent / link).resolve()
            if target in KOREAN or target.name == "glossary.md" or document.name == "README.md":
                continue
            assert "영어" in behind or link in ("README.md", "CONTRIBUTING.md", "docs/adr/README.md"), (document, link)


@pytest.mark.django_db
@pytest.mark.parametrize(("document", "calls"), [("README.md", (1, 1)), ("docs/api.md", (12, 6))])
def test_the_calls_that_a_document_shows_answer_as_they_say(document, calls, client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("g1_sensor1.csv").write_text("0,1,2,3,4\n0.001,2,3,4,5\n")
    Path("pump3.f32").write_bytes(bytes(3 * 4 * 100))
    tokens = {role: token_of(role) for role in ("collector", "diagnoser", "operator")}
    post("g2", (3, 2), (2, 2), model="cnn-v3")  # the episode that is acted on
    response, called, compared = None, 0, 0
    for text in re.split(r"\n\n", "\n\n".join(block.text for block in manual.blocks_of(ROOT / document))):
        if "curl" in text:
            response = call(client, text, tokens)
            assert response.status_code in (200, 201), response.content
            called += 1
        elif text.startswith('{"') and response is not None:
            assert shown_of(response.json(), text) == shown(text)
            response, compared = None, compared + 1
    assert (called, compared) == calls


def token_of(role: str) -> str:
    out = StringIO()
    call_command("create_api_token", f"{role}-1", "--role", role, "--expires", "365d", stdout=out, stderr=StringIO())
    return out.getvalue().strip()


ROLES = {"/api/vibration-diagnosis": "diagnoser", "/api/episodes": "operator"}


def call(client, text: str, tokens: dict[str, str]):
    """What the `curl` in a block of code does."""
    text = text[text.index("curl") :]
    words = shlex.split(text.replace("\\\n", " "))
    address = urlsplit(next(word for word in words if word.startswith("http")))
    path = address.path.replace("/episodes/1/", f"/episodes/{Episode.objects.get().pk}/")
    if path.startswith("/api/captures/1/"):
        path = path.replace("/1/", f"/{Capture.objects.earliest('pk').pk}/")
    role = next((role for start, role in ROLES.items() if path.startswith(start)), "collector")
    said = list(pairwise(words))
    headers = dict(value.split(": ", 1) for option, value in said if option == "-H")
    assert headers["Authorization"] == "Bearer $TOKEN"
    headers["Authorization"] = f"Bearer {tokens[role]}"
    path = f"{path}?{address.query}"
    fields = dict(value.split("=", 1) for option, value in said if option == "-F")
    if fields:
        for name, value in fields.items():
            if value.startswith("@"):
                fields[name] = SimpleUploadedFile(value[1:], Path(value[1:]).read_bytes())
        return client.post(path, fields, headers=headers)
    body = next((value for option, value in said if option in ("-d", "--data-binary")), None)
    if body and body.startswith("@"):
        body = Path(body[1:]).read_bytes()
    if body is None:
        return client.get(path, headers=headers)
    return client.generic("POST", path, body, content_type=headers.pop("Content-Type"), headers=headers)


def shown(text: str) -> dict:
    """What a document shows of an answer, but for the id; "..." stands for what it leaves out."""
    whole = re.sub(r",(?=})", "", text.replace("...,", "").replace("...", ""))
    return {name: value for name, value in json.loads(whole).items() if name != "id"}


def shown_of(answer: dict, text: str) -> dict:
    """The same of an answer; all of it where nothing is left out."""
    return {
        name: value for name, value in answer.items() if name != "id" and ("..." not in text or name in shown(text))
    }


GLOSSARY = ROOT / "docs" / "glossary.md"
WORDS = [row for row in manual.rows_of(GLOSSARY) if len(row) == 4 and row[0] != "Word"]
NOT_SAID = {
    word.removeprefix("-"): better
    for words, better in (row for row in manual.rows_of(GLOSSARY) if len(row) == 2 and row[0] != "Not")
    for word in re.sub(r" \(.*?\)", "", words).split(", ")
}


@pytest.mark.parametrize(("word", "where"), [(row[0], row[3]) for row in WORDS])
def test_a_word_of_the_glossary_is_where_it_says(word, where):
    found = re.findall(r"(?:`(\w+)` in )?`([\w/]+\.py)`", where)
    assert found, word
    for name, file in found:
        assert not name or re.search(rf"\b{name}\b", (ROOT / file).read_text("utf-8")), f"{file} has no {name}"


def test_the_glossary_has_each_word_once_with_one_korean_word_of_its_own():
    assert len(WORDS) > 40
    assert len({row[0] for row in WORDS}) == len({row[2] for row in WORDS}) == len(WORDS)


@pytest.mark.parametrize("document", KOREAN, ids=manual.name_of)
def test_korean_uses_the_words_of_the_glossary(document):
    assert {"모의", "표본", "세요"} <= NOT_SAID.keys()
    assert not_said_in(document.read_text(encoding="utf-8")) == {}


def not_said_in(text: str) -> dict[str, str]:
    """The words of a Korean text that the glossary has others for, each with the other."""
    return {word: better for word, better in NOT_SAID.items() if word in text}


def test_the_korean_catalog_uses_the_words_of_the_glossary():
    with (ROOT / "locale" / "ko" / "LC_MESSAGES" / "django.po").open("rb") as file:
        korean = {entry.id: entry.string for entry in read_po(file) if isinstance(entry.id, str) and entry.id}
    found = 0
    for word, _meaning, translation, _where in WORDS:
        plural = "diagnoses" if word == "diagnosis" else f"{word}s"
        for msgid in (word, word.capitalize(), plural, plural.capitalize()):
            if msgid in korean:
                found += 1
                assert translation in korean[msgid], f"{msgid}: {korean[msgid]}, not {translation}"
    assert found > 20
