"""A text field that compares the same on every database."""

import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _


class ExactCharField(models.CharField):
    """A CharField in which `g1` and `G1` are two names.

    MySQL's default collation takes them for one, SQLite for two; a unique constraint would mean another thing on each.
    The column itself carries the collation, so nothing depends on how the database was created. Texts are kept and
    looked up in Unicode NFC: macOS spells Korean file names in NFD, which looks the same and compares as different.
    """

    def validate(self, value: Any, model_instance: Any) -> None:
        """Of a form; what programs and files send is cleaned by `common.names`."""
        super().validate(value, model_instance)
        if not str(value).isprintable():
            raise ValidationError(_("There are invisible characters in it, such as a line break. Type it anew."))

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return unicodedata.normalize("NFC", value) if isinstance(value, str) else value

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, str | None]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
