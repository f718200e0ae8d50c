"""The table in which tries are counted."""

from django.db import models


class Tally(models.Model):
    """How often something was tried in a period; see counting.py."""

    key = models.CharField(max_length=100, primary_key=True)
    number = models.PositiveIntegerField()
    ends_at = models.DateTimeField(null=True, db_index=True)  # null: a lock only

    class Meta:
        app_label = "machines"  # whose migrations made the table

    def __str__(self) -> str:
        return f"{self.key}: {self.number}"
