"""Families of models: the versions of one AI model speak of one episode."""

from functools import lru_cache

_SIGNS = "-_. "
_DIGITS = "0123456789"


@lru_cache(maxsize=10_000)
def family_of(model_name: str) -> str:
    """The name of a model without its version, if it ends with one.

    A version is numbers at the end that a sign sets off, with or without a "v": cnn-v3, cnn_3.1, cnn-2026-11-01.
    Digits that belong to the name itself, as of resnet50, are none.
    """
    name = model_name.rstrip(_SIGNS + _DIGITS)
    if not name or model_name[-1] not in _DIGITS:
        return model_name
    numbers = model_name[len(name) :]
    signs = [numbers.index(sign) for sign in _SIGNS if sign in numbers]
    if name[-1:] in ("v", "V") and name[-2:-1] in tuple(_SIGNS):
        family = name[:-1]
    elif signs:
        family = name + numbers[: min(signs)]
    else:
        return model_name
    return family.rstrip(_SIGNS) or model_name
