"""Refuses the message of a commit whose subject is too long to be read in a list; git gives the file of the message.

python scripts/commit_subject.py .git/COMMIT_EDITMSG
"""

import sys
from pathlib import Path

MOST_LETTERS = 71
COMMENT = "#"
# Subjects of commits that will be melted into the one whose subject follows
PASSING = ("fixup! ", "squash! ", "amend! ")


def subject_of(message: str) -> str:
    """The first line that says something."""
    lines = (line.strip() for line in message.splitlines() if not line.startswith(COMMENT))
    return next(filter(None, lines), "")


def fault_of(subject: str) -> str | None:
    """What is wrong with a subject, and what to do; None when nothing is. An empty one is refused by git itself."""
    if len(subject) <= MOST_LETTERS or subject.startswith(PASSING):
        return None
    return (
        f"The subject has {len(subject)} letters; at most {MOST_LETTERS} fit into a list. "
        f"Say the thing in fewer, and why in the body:\n    {subject[:MOST_LETTERS]}|{subject[MOST_LETTERS:]}"
    )


def main(message: Path) -> int:
    fault = fault_of(subject_of(message.read_text(encoding="utf-8")))
    if fault:
        print(fault, file=sys.stderr)
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
