"""What is answered when the database takes no work and nobody further in has said so: a 503 in place of a 400 or 500.

Django comes here for the errors of views and of middleware alike, which reads sessions and users before any view runs.
"""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views import defaults

from common.database.errors import Trouble, trouble_of
from himmes.api.errors import MEDIA_TYPE, Unavailable, log_unavailable, problem

TROUBLES = {
    Trouble.BUSY: _("The database is busy with other work."),
    Trouble.AWAY: _("The database does not answer. It may be restarting."),
    Trouble.READ_ONLY: _("The database takes no changes just now."),
    Trouble.FULL: _("The disk of the database is full. Tell your administrator."),
}
UNDONE = _("Nothing of what you have just sent was stored. Go back and send it again later.")
UNKNOWN = _("It is not known whether what you have just sent was stored. Look before you send it again.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`, which is called while the error is being handled."""
    return _unavailable(request, sys.exc_info()[1]) or defaults.server_error(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`. A session that can't be saved comes here, as Django takes it for one that was deleted."""
    return _unavailable(request, exception) or defaults.bad_request(request, exception)


def _unavailable(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    if error is None or not (trouble := trouble_of(error)):
        return None
    if request.path.startswith("/api/"):
        detail = str(Unavailable(trouble, error, request.method).detail)
        response: HttpResponse = JsonResponse(problem(503, detail), status=503, content_type=MEDIA_TYPE)
    else:
        reads = request.method in ("GET", "HEAD")
        context = {
            "trouble": TROUBLES[trouble],
            "address": request.get_full_path() if reads else None,
            "seconds": trouble.retry_after,
            # Only where somebody who knows has marked it: a page may have stored something before the statement failed.
            "stored": UNDONE if getattr(error, "is_undone", False) else UNKNOWN,
        }
        # Not with the request: who looks at it stands in the database.
        response = render(None, "503.html", context, status=503)
    response["Retry-After"] = str(trouble.retry_after)
    response["Cache-Control"] = "no-store"
    log_unavailable(request, response, error)
    return response
