"""Compile the gettext catalogs of the project; names what is wrong in them and then fails.

Not `pybabel compile`: it leaves out a whole catalog when the heading that makemessages writes is still marked fuzzy,
and passes over errors.
"""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent

FOLDERS = [ROOT / "locale", ROOT / "himmes" / "package_texts"]

wrong = 0
for path in sorted(path for folder in FOLDERS for path in folder.glob("*/LC_MESSAGES/*.po")):
    with path.open("rb") as source:
        catalog = read_po(source, locale=path.parts[-3], abort_invalid=True)
    for message, errors in catalog.check():
        wrong += len(errors)
        for error in errors:
            print(f"{path}:{message.lineno}: {error}", file=sys.stderr)
    with path.with_suffix(".mo").open("wb") as target:
        write_mo(target, catalog)
sys.exit(bool(wrong))
