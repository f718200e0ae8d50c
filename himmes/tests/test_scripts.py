"""Our scripts are modules that import each other, in production by names with a hash."""

import posixpath
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import override_settings

from diagnosis.tests.world import post
from vibration.tests.captures_world import a_second, stored
from vibration.tests.world import make_recording

SOURCES = Path(settings.BASE_DIR) / "static"
IMPORTED = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)["'`]([^"'`]+)["'`]""")
HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")


def scripts_in(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.glob("js/**/*.js")}


def imports_of(name: str, text: str) -> list[str]:
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), it)) for it in IMPORTED.findall(text)]


@pytest.fixture
def collected(tmp_path):
    """What `collectstatic` makes of our own static files with the storage of production."""
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": "himmes.static_files.StaticFiles"}}
    with override_settings(
        DEBUG=False,
        STATIC_ROOT=tmp_path,
        STORAGES=storages,
        STATICFILES_DIRS=[SOURCES],
        STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield tmp_path


def test_in_production_every_import_names_a_hashed_file_that_is_there(collected):
    scripts = scripts_in(collected)
    imported = {name: imports_of(name, text) for name, text in scripts.items()}
    sources = {name: imports_of(name, text) for name, text in scripts_in(SOURCES).items()}
    assert sum(map(len, imported.values())) == sum(map(len, sources.values())) > 20
    for name, targets in imported.items():
        for target in targets:
            assert HASHED.search(target), f"{name} imports {target}"
            assert target in scripts, f"{name} imports {target}"


@pytest.mark.browser
def test_a_browser_gets_each_module_under_its_hashed_name(new_page, operator, settings, tmp_path):
    make_recording(100)
    post("g1", (5, 1))
    [capture] = stored(a_second())
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "himmes.static_files.StaticFiles"}}
    settings.WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["js", "css", "map", "svg", "json"]  # compressing takes its time
    call_command("collectstatic", "--no-input", "--ignore=admin", "--ignore=drf_spectacular_sidecar", verbosity=0)
    page = new_page(login=operator)
    page.route("**/static/**", lambda route: route.fulfill(path=tmp_path / urlsplit(route.request.url).path[8:]))
    loaded = set()
    page.on("request", lambda it: loaded.add(urlsplit(it.url).path[8:]) if it.resource_type == "script" else None)
    for path, ready in {
        "/": "[data-checked]:not(:empty)",
        "/diagnosis/timeline/": "#timeline[aria-busy=false]",
        "/vibration/": "#spectrum[aria-busy=false]",
        "/vibration/table/": "table",
        "/vibration/upload/": "#upload-form",
        "/vibration/trend/?machine=pump3": "main:not(:has([aria-busy=true]))",
        "/vibration/waterfall/?machine=pump3": "main:not(:has([aria-busy=true]))",
        "/vibration/features/": "main:not(:has([aria-busy=true]))",
        f"/vibration/captures/{capture.pk}/": "#envelope[aria-busy=false]",
    }.items():
        page.goto(path)
        page.wait_for_selector(ready)
    assert all(HASHED.search(it) for it in loaded)
    ours = {HASHED.sub(".js", it) for it in loaded if it.startswith("js/")}
    shared = {name for name in scripts_in(SOURCES) if name.startswith(("js/charts/", "js/spectra/"))}
    assert ours >= shared | {"js/api.js", "js/live.js"}


def test_a_module_gets_another_name_when_one_that_it_imports_has_changed(collected, tmp_path_factory):
    before = staticfiles_storage.url("js/waveform.js")
    changed = tmp_path_factory.mktemp("changed")
    for name, text in scripts_in(SOURCES).items():
        (changed / name).parent.mkdir(parents=True, exist_ok=True)
        (changed / name).write_text(f"// changed\n{text}" if name == "js/texts.js" else text, "utf-8")
    with override_settings(STATICFILES_DIRS=[changed]):
        call_command("collectstatic", interactive=False, verbosity=0)
        assert staticfiles_storage.url("js/waveform.js") != before


def test_no_script_keeps_anything_at_the_window_for_others():
    for name, text in scripts_in(SOURCES).items():
        assert not re.search(r"\b(window|globalThis|self)\.\w+\s*=[^=]", text), name


def test_only_the_theme_is_no_module_as_it_is_set_before_anything_is_painted():
    loaded = {}
    for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        for attributes in re.findall(r"<script\b([^>]*static 'js/[^>]*)>", path.read_text("utf-8")):
            loaded.setdefault(re.search(r"js/([\w/]+)\.js", attributes)[1], set()).add('type="module"' in attributes)
    assert loaded.pop("theme") == {False}
    assert set().union(*loaded.values()) == {True}
