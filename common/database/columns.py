"""The fields of a model, for all that shows or keeps each of them: they are told in the model alone."""

from collections.abc import Collection

from django.db import models


def fields_of(model: type[models.Model], *, without: Collection[str] = ()) -> list[models.Field]:
    """The fields that a model stores, in their order there; `without` those named.

    Raises FieldDoesNotExist for a name in `without` that is none of the model's.
    """
    left_out = {model._meta.get_field(name) for name in without}
    return [field for field in model._meta.concrete_fields if field not in left_out]


def columns_of(model: type[models.Model], *, without: Collection[str] = ()) -> list[str]:
    """The names of these fields."""
    return [field.name for field in fields_of(model, without=without)]
