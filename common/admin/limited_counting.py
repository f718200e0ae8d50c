"""Pages of an admin list over a table too long to be counted."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

MOST_COUNTED = 10_000


class LimitedPaginator(Paginator):
    """Counts no further than 10,000 rows, and has pages for so many; what lies deeper is found by filter or search."""

    object_list: QuerySet

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by().values("pk")[: MOST_COUNTED + 1].count()
