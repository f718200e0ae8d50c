"""No regular expression that meets input takes much longer than its input is long.

Each that the source names, and each of an address, is attacked with texts made of what it looks for: some parts of it,
repeated, with and without a beginning that fits and an end that does not. What is quadratic takes minutes for the
longest of them, what is linear some milliseconds.
"""

import ast
import itertools
import math
import re
import re._constants as sre
import re._parser as sre_parser
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, get_resolver

ROOT = Path(settings.BASE_DIR)
APPS = ["common", "machines", "vibration", "diagnosis", "himmes"]
METHODS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
OF_DJANGO = {"RegexValidator", "RegexField"}  # they search
# Short ones first: what is quadratic is told after some seconds, and not after an hour.
LENGTHS = [100, 1_000, 4_000, 16_000, 64_000, 256_000]
# Django's own, in the admin: quadratic, but a request line, of which the server takes 4 kB, has too little room for it
QUADRATIC_ADDRESS, ADDRESS_LENGTHS = r"^r/(?P<content_type_id>.+)/(?P<object_id>.+)/\Z", LENGTHS[:3]
LIMIT_S = 1.0  # of this process's own CPU time, whatever else the machine does
# What is quadratic and takes LIMIT_S for the longest text takes twice SOON_S for one of TOLD_BY characters. What takes
# less is not tried with longer ones: of 256,000 characters each of many thousand attacks takes milliseconds.
TOLD_BY = 16_000
SOON_S = LIMIT_S * (TOLD_BY / LENGTHS[-1]) ** 2 / 2
MANY = 24  # spellings of one expression: enough for each branch of those there are
NO_MATCH = "\x01"


def used_in(source: str) -> Iterator[tuple[re.Pattern, str]]:
    """Each regular expression of a module, with the method that is called of it."""
    tree = ast.parse(source)
    assignments = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    assigned = {node.targets[0].id: node.value for node in assignments}
    named = {name: _compiled(it, assigned) for name, it in assigned.items() if _function_of(it) == ("re", "compile")}
    for node in ast.walk(tree):
        function = _function_of(node)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in named:
            yield named[node.value.id], node.attr
        elif function == ("re", "compile"):
            assert node in assigned.values(), "compile a regular expression at the beginning of its module"
        elif function and function[0] == "re" and function[1] in METHODS:
            yield _compiled(node, assigned), function[1]
        elif function and function[1] in OF_DJANGO:
            yield re.compile(_text(node.args[0], assigned)), "search"


def _function_of(node: ast.AST) -> tuple[str, str] | None:
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        return node.func.value.id, node.func.attr
    return ("", node.func.id) if isinstance(node.func, ast.Name) else None


def _compiled(call: ast.Call, assigned: dict[str, ast.expr]) -> re.Pattern:
    # Of the functions that take one, the flags are the last argument.
    before = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(call.func.attr, 2)
    flags = [*call.args[before:], *(it.value for it in call.keywords if it.arg == "flags")]
    return re.compile(_text(call.args[0], assigned), sum(map(_flag, flags)))


def _text(node: ast.expr, assigned: dict[str, ast.expr]) -> str | bytes:
    """The value of an expression: a text, a name of one, or one in which others are put."""
    if isinstance(node, ast.Name):
        return _text(assigned[node.id], assigned)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, assigned)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, assigned) for part in node.values)
    return ast.literal_eval(node)


def _flag(node: ast.expr) -> int:
    if isinstance(node, ast.BinOp):
        return _flag(node.left) | _flag(node.right)
    return int(getattr(re, node.attr))


def spellings(tree) -> list[tuple[str, ...]]:
    """Some texts that a parsed expression matches, each in parts; a word is one part."""
    parts = []
    for is_word, items in itertools.groupby(tree, key=lambda item: item[0] is sre.LITERAL):
        if is_word:
            parts.append([("".join(chr(letter) for _code, letter in items),)])
        else:
            parts += [_spellings_of(code, argument) for code, argument in items]
    return [tuple(itertools.chain(*choice)) for choice in itertools.islice(itertools.product(*parts), MANY)]


def _spellings_of(code, argument) -> list[tuple[str, ...]]:
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        least, _most, inner = argument
        once = [part * min(max(least, 1), 10) for part in spellings(inner)]
        return once if least else [*once, ()]
    if code is sre.SUBPATTERN:
        return spellings(argument[-1])
    if code is sre.ATOMIC_GROUP:
        return spellings(argument)
    if code is sre.ASSERT:
        return spellings(argument[1])
    if code is sre.BRANCH:
        return [one for branch in argument[1] for one in spellings(branch)]
    if code is sre.IN:
        return [(letter,) for letter in _letters(argument)]
    if code in (sre.ANY, sre.NOT_LITERAL):
        return [("a" if argument != ord("a") else "b",)]
    # A group referred to may have matched nothing.
    assert code in (sre.AT, sre.ASSERT_NOT, sre.GROUPREF), f"teach this test the {code} of a regular expression"
    return [()]


def _letters(items) -> list[str]:
    of_category = {
        sre.CATEGORY_DIGIT: "0",
        sre.CATEGORY_SPACE: " ",
        sre.CATEGORY_WORD: "a",
        sre.CATEGORY_NOT_DIGIT: "a",
        sre.CATEGORY_NOT_SPACE: "a",
        sre.CATEGORY_NOT_WORD: " ",
    }
    if items[0][0] is sre.NEGATE:
        excluded = set(_letters(items[1:]))
        return [next(letter for letter in "a0 -/" if letter not in excluded)]
    found = {sre.LITERAL: chr, sre.RANGE: lambda ends: chr(ends[0]), sre.CATEGORY: of_category.__getitem__}
    return [found[code](argument) for code, argument in items]


def attacks(pattern: re.Pattern) -> set[tuple[str, str, str]]:
    """Beginning, what is repeated, and end of texts that are to keep the expression busy."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    found = set()
    for parts in spellings(sre_parser.parse(source, pattern.flags & re.VERBOSE)):
        for first, last in itertools.combinations(range(len(parts) + 1), 2):
            pump = "".join(parts[first:last])
            found |= {(begin, pump, end) for begin in ("", "".join(parts[:first])) for end in ("", NO_MATCH)}
    return found


def slow_attack(pattern: re.Pattern, method: str, lengths: list[int] = LENGTHS) -> str:
    """An attack that takes too long, in words; empty if there is none."""
    for begin, pump, end in sorted(attacks(pattern)):
        for length in lengths:
            text = begin + pump * (length // len(pump) + 1) + end
            took = seconds_of(pattern, method, text if isinstance(pattern.pattern, str) else text.encode("latin-1"))
            if took >= LIMIT_S:
                return f"{pattern.pattern!r} takes too long for {begin!r}, {length} characters of {pump!r}, {end!r}"
            if length >= TOLD_BY and took < SOON_S:
                break
    return ""


class TooSlow(Exception):
    pass


def seconds_of(pattern: re.Pattern, method: str, text: str | bytes) -> float:
    """CPU time that an expression takes for a text; it is interrupted at the limit where it lets itself be."""

    def interrupt(_number, _frame):
        raise TooSlow

    replacement = [type(text)()] if method in ("sub", "subn") else []
    before = signal.signal(signal.SIGVTALRM, interrupt)
    started = time.thread_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
        found = getattr(pattern, method)(*replacement, text)
        if method == "finditer":
            list(found)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except TooSlow:
        return math.inf
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.thread_time() - started


FOUND = sorted(
    {
        (str(path.relative_to(ROOT)), pattern, method)
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if "tests" not in path.parts
        for pattern, method in used_in(path.read_text(encoding="utf-8"))
    },
    key=str,
)


def test_the_walk_finds_the_regular_expressions():
    modules = {module for module, _pattern, _method in FOUND}
    assert modules >= {
        "vibration/csv/foreign.py",
        "vibration/csv/first_lines.py",
        "vibration/csv/columns.py",
        "vibration/csv/numbers.py",
        "vibration/csv/times.py",
        "common/rest/query.py",
        "common/rest/fields.py",
        "himmes/operations/requests.py",
        "himmes/operations/backups/dump_text.py",
    }
    assert all(method in METHODS for _module, _pattern, method in FOUND)


@pytest.mark.parametrize(("module", "pattern", "method"), FOUND, ids=str)
def test_an_expression_of_the_source_is_linear(module, pattern, method):
    assert slow_attack(pattern, method) == ""


def addresses(patterns, begin: str = "") -> Iterator[re.Pattern]:
    for it in patterns:
        yield it.pattern.regex if hasattr(it.pattern, "regex") else re.compile(str(it.pattern))
        if not isinstance(it, URLPattern):
            yield from addresses(it.url_patterns)


def test_the_expressions_of_addresses_are_linear():
    found = {it.pattern: it for it in addresses(get_resolver().url_patterns)}
    assert len(found) > 50
    of_settings = [settings.CORS_URLS_REGEX, *settings.SECURE_REDIRECT_EXEMPT]
    slow = [slow_attack(found.pop(QUADRATIC_ADDRESS), "search", ADDRESS_LENGTHS)]
    slow += [slow_attack(it, "search") for it in [*found.values(), *map(re.compile, of_settings)]]
    assert list(filter(None, slow)) == []


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"\(.*?\)|\[.*?\]|[\s_\-\"']", "sub"),
        (r"(\d\d:\d\d\S*) (\d\d:?\d\d)$", "sub"),
        (rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", "fullmatch"),
        (rb"'(?:[^'\\]|\\.|'')*'", "sub"),
        (r"(a+)+$", "match"),
        (r"(?:a|aa)+b", "match"),
        (r"\s+$", "search"),
        (r"(\w+\s?)*;", "fullmatch"),
    ],
)
def test_the_attack_finds_what_is_slow(pattern, method):
    assert slow_attack(re.compile(pattern), method)
