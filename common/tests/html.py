"""Pages as tests read them."""

import re

from django.http import HttpResponse


def flat(response: HttpResponse) -> str:
    """The HTML of a page without line breaks, and without whitespace beside tags: as if its templates had none."""
    html = re.sub(r"\s+", " ", response.content.decode())
    return re.sub(r"(?<=>) | (?=<)| (?=/?>)", "", html)
