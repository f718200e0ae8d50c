"""Families of models: the versions of one AI model speak of one episode."""

import re
from functools import lru_cache

# A version at the end of a name, set off by a sign or by a "v": cnn-v3, cnn_3.1, cnnv3, cnn-2026-11-01. Digits that
# belong to the name itself, as of resnet50, are none.
_VERSION = re.compile(r"(?P<family>.*?[^-_. ])(?:[-_. ]+v?|v)\d+(?:[-_.]\d+)*", re.ASCII | re.IGNORECASE)


@lru_cache(maxsize=10_000)
def family_of(model_name: str) -> str:
    """The name of a model without its version, if it ends with one."""
    found = _VERSION.fullmatch(model_name)
    return found["family"] if found else model_name
