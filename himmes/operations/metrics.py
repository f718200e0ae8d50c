"""`/metrics` for Prometheus: what this server counts, and what is in the database at the moment."""

import hashlib
import logging
import math
import os
import sys
import time

from django.conf import settings
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from common.database.errors import DATABASE_ERRORS
from himmes.operations.database_metrics import Kept, read_figures, server_figures
from himmes.operations.health import look_at_database
from machines.models import Machine

logger = logging.getLogger(__name__)
disable_created_metrics()  # another series for each, which Prometheus does not use

# --- What each process counts; gunicorn.conf.py says where, so that the one that is asked can add it all up

REQUESTS = Histogram(
    "himmes_http_request_seconds",
    "Requests, by how long it took until the answer began.",
    ["method", "view", "status"],
    buckets=(0.01, 0.025, 0.1, 0.25, 1, 2.5, 10, 60),
)
REFUSALS = Counter("himmes_api_refusals", "Calls of the API that were not carried out, by status.", ["status"])
ERRORS = Counter("himmes_errors", "Exceptions that nobody had expected, by kind.", ["kind"])
for _status in ("401", "403", "429", "503"):  # from 0 on, so that the first one is seen to be more
    REFUSALS.labels(_status)
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}


def count_request(request: HttpRequest, response: HttpResponseBase, view: str, seconds: float) -> None:
    """Each label is one of few: a stranger can't make up new ones."""
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, view, f"{response.status_code // 100}xx").observe(seconds)
    if response.status_code >= 400 and request.path.startswith("/api/"):
        REFUSALS.labels(str(response.status_code)).inc()


@receiver(got_request_exception)
def count_error(sender, **kwargs) -> None:
    kind = sys.exc_info()[0]
    ERRORS.labels(kind.__name__ if kind else "unknown").inc()


def counted_so_far() -> CollectorRegistry:
    """What all processes of this server counted; without gunicorn there is only this one."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(REGISTRY)
    return registry


# --- The page

REMEMBERED_S = 3600
_let_in: dict[bytes, float] = {}  # when, by a hash of the token


class DatabaseAway(APIException):
    status_code = 503
    default_detail = "The database is away, and this server has not met the token in the last hour."


class Metrics(APIView):
    """For whoever may read machines. While the database is away, for tokens that were let in less than an hour ago."""

    queryset = Machine.objects.all()
    schema = None  # it is no part of the API

    def perform_content_negotiation(self, request, force=False):
        return JSONRenderer(), JSONRenderer.media_type  # of errors: a scraper takes what it gets

    def initial(self, request, *args, **kwargs):
        if "Authorization" not in request.headers and settings.SESSION_COOKIE_NAME not in request.COOKIES:
            raise NotAuthenticated  # whoever does not even say who he is costs the database nothing
        self.figures: list[Metric] | None = None  # None: the database is away
        token = hashlib.sha256(request.headers.get("Authorization", "").encode()).digest()
        # Asked first, as it is limited in time: a scraper does not wait for long.
        if seen := look_at_database():
            try:
                super().initial(request, *args, **kwargs)
                self.figures = read_figures(timezone.now(), unapplied=len(seen.unapplied))
            except DATABASE_ERRORS:
                logger.warning("The database does not answer.", exc_info=True)
            except APIException:
                _let_in.pop(token, None)
                raise
        if self.figures is not None and request.auth:
            _let_in[token] = time.monotonic()
        elif self.figures is None and time.monotonic() - _let_in.get(token, -math.inf) > REMEMBERED_S:
            raise DatabaseAway

    def get(self, request) -> HttpResponse:
        registry = counted_so_far()
        registry.register(Kept(server_figures(database_up=self.figures is not None)))
        registry.register(Kept(self.figures or []))
        response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
        response.headers["Cache-Control"] = "no-store"
        return response
