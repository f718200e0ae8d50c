"""A text field that compares the same on every database."""

from django.db import models


class ExactCharField(models.CharField):
    """A CharField in which `g1` and `G1` are two names.

    MySQL's default collation takes them for one, SQLite for two; a unique constraint would mean another thing on each.
    The column itself carries the collation, so nothing depends on how the database was created.
    """

    def db_parameters(self, connection):
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
