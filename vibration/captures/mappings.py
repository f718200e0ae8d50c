"""Mappings of columns that people keep by a name, for all files of a kind."""

import json

from common.database.transactions import in_transaction
from common.names import clean_name
from vibration.formats.mapping import BadMapping, Mapping, from_json
from vibration.models import CaptureMapping


class NoSuchMapping(LookupError):
    """No mapping is kept under this name; the message says which are."""


def find_mapping(name: str) -> Mapping:
    """The mapping that is kept under a name. Raises NoSuchMapping, and BadMapping for one that can't be read."""
    kept = CaptureMapping.objects.filter(name=name).first()
    if kept is None:
        names = ", ".join(CaptureMapping.objects.values_list("name", flat=True)) or "none"
        raise NoSuchMapping(f"No mapping is called '{name}'; there are: {names}")
    try:
        return from_json(json.dumps(kept.mapping))
    except BadMapping as error:
        raise BadMapping(f"the mapping '{name}': {error}") from None


def save_mapping(name: str, mapping: Mapping, *, saved_by: str) -> bool:
    """Keep a mapping under a name, in place of the one that was; whether it is a new one. Raises InvalidName."""
    name = clean_name(name, CaptureMapping._meta.get_field("name"), "the mapping's name")
    values = {"mapping": json.loads(mapping.to_json()), "saved_by": saved_by[:150]}
    return in_transaction(lambda: CaptureMapping.objects.update_or_create(name=name, defaults=values))[1]


def is_another(name: str, mapping: Mapping) -> bool:
    """Whether another mapping is kept under this name."""
    kept = CaptureMapping.objects.filter(name=name).values_list("mapping", flat=True).first()
    return kept is not None and kept != json.loads(mapping.to_json())
