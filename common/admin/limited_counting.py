"""Pages of an admin list over a table too long to be counted."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

MOST_COUNTED = 10_000


class LimitedPaginator(Paginator):
    """Counts at most 10,000 rows and has pages for as many; filters and search find what is beyond."""

    object_list: QuerySet

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by().values("pk")[: MOST_COUNTED + 1].count()
