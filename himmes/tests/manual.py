"""The documents as tests read them: headings, links, code and tables of a Markdown file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(settings.BASE_DIR)
READMES = [ROOT / "README.md", ROOT / "README.ko.md"]
DOCUMENTS = [
    *READMES,
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
GUIDES = [document for document in DOCUMENTS if document.parent.name != "adr"]  # what is true now
KOREAN = [ROOT / "README.ko.md", *sorted((ROOT / "docs" / "ko").glob("*.md"))]
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_NO_PART_OF_AN_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Block:
    """A block of code; `info` is what stands behind its fence, if it has one."""

    info: str
    text: str


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


@cache
def tokens_of(document: Path) -> tuple[Token, ...]:
    return tuple(_MARKDOWN.parse(document.read_text(encoding="utf-8")))


def _inline(document: Path) -> Iterator[Token]:
    for token in tokens_of(document):
        yield from token.children or []


def blocks_of(document: Path) -> list[Block]:
    return [Block(it.info, it.content) for it in tokens_of(document) if it.type in ("fence", "code_block")]


def words_in_code(document: Path) -> list[str]:
    """What stands between backticks."""
    return [it.content for it in _inline(document) if it.type == "code_inline"]


def code_of(document: Path) -> str:
    """All code, in backticks and in blocks."""
    return "\n".join([*words_in_code(document), *(block.text for block in blocks_of(document))])


def links_of(document: Path) -> list[str]:
    links = [it.attrGet("href") for it in _inline(document) if it.type == "link_open"]
    return links + [it.attrGet("src") for it in _inline(document) if it.type == "image"]


def headings_of(document: Path) -> list[tuple[int, str]]:
    """Level and text of each."""
    tokens = tokens_of(document)
    return [
        (int(token.tag[1]), "".join(it.content for it in tokens[place + 1].children))
        for place, token in enumerate(tokens)
        if token.type == "heading_open"
    ]


def anchors_of(document: Path) -> set[str]:
    """As public forges make them of headings."""
    return {_NO_PART_OF_AN_ANCHOR.sub("", text.lower()).replace(" ", "-") for _level, text in headings_of(document)}


def rows_of(document: Path) -> list[list[str]]:
    """The cells of each row of each table, headings of columns too."""
    rows: list[list[str]] = []
    tokens = tokens_of(document)
    for place, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("td_open", "th_open"):
            rows[-1].append(tokens[place + 1].content)
    return rows


def command_lines(text: str) -> list[str]:
    """Each command of a block for a shell, continued lines joined."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
