"""The upload page, and what it asks: what a file is taken for, and to store it. Nothing is kept between the two."""

import json
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from common.database.errors import DATABASE_ERRORS, mark_undone
from common.limits.at_once import Busy
from common.page_queries import reads
from common.rest.rows import InvalidRows
from machines.models import Machine, RegisteredBy, Sensor
from vibration.captures.importing import CaptureOptions, import_capture_file, read_stream
from vibration.captures.mappings import is_another, save_mapping
from vibration.captures.naming import CaptureNaming
from vibration.captures.understanding import Understood
from vibration.files.importing import Bounds, NotRegistered, OverBounds, import_file
from vibration.files.names import BadName, Naming
from vibration.files.report import Report
from vibration.files.storing import Options
from vibration.files.uploading import UPLOADS, NamelessFileUploadHandler
from vibration.formats.mapping import BadMapping
from vibration.formats.reasons import Remark
from vibration.formats.table import BadFile
from vibration.metrics import count_upload
from vibration.models import Capture, CaptureMapping, ImportRun, Recording
from vibration.pages.capture_views import MAY_ADD
from vibration.pages.rounding import significant
from vibration.pages.upload_form import (
    CAPTURES,
    KINDS,
    RECORDING,
    RECORDING_TIMES,
    TIME,
    TIME_NAMES,
    USES,
    UploadForm,
    recording_name,
)
from vibration.pages.upload_reading import Taken, take_in
from vibration.pages.upload_remarks import remark_text

MAY_ADD_RECORDING, MAY_SAVE = "vibration.add_vibrationdata", "vibration.add_capturemapping"
OFFERED_NAMES = 500  # of machines and of sensors
LINKED_CAPTURES = 12
# What static/js/upload.js says.
UPLOAD_TEXT = {
    "sending": _("Sending… {percent} %"),
    "reading": _("The server reads the file…"),
    "waits": _("Waits for the files before it."),
    "busy": _("The server is busy with another upload. This one continues in {seconds} s."),
    "away": _("The server does not answer. Check the connection, then try again."),
    "logged_out": _("You are logged out. Log in again in another tab, then try again."),
    "too_large": _("The file is larger than this server takes. Compress it with gzip, or split it."),
    "failed": _("The server could not answer (HTTP {status}). Try again later."),
    "value": _("Vibration"),
    "seconds": _("Seconds"),
}


@permission_required("vibration.view_capture", raise_exception=True)
@reads()
def upload(request: HttpRequest) -> HttpResponse:
    context = {
        "text": UPLOAD_TEXT,
        "most_bytes": settings.API_MAX_UPLOAD_BYTES,
        "machines": Machine.objects.order_by("name").values_list("name", flat=True)[:OFFERED_NAMES],
        "sensors": sorted(set(Sensor.objects.values_list("sensor_no", flat=True)[:OFFERED_NAMES])),
    }
    return render(request, "vibration/upload.html", context)


def _takes_files(answer: Callable[[HttpRequest, UploadForm], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A view to which a file is sent with the upload form; whoever comes by a link is led to the page."""

    @csrf_protect
    def checked(request: HttpRequest) -> HttpResponse:
        names = list(CaptureMapping.objects.values_list("name", flat=True))
        return answer(request, UploadForm(request.POST, request.FILES, names=names))

    @csrf_exempt  # here, as the token is among what is sent and nothing of that may be read yet; `checked` looks at it
    @reads()
    def view(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return redirect("upload")
        if not request.user.has_perm(MAY_ADD):
            return render(request, "403.html", status=403)
        # On disk from the first byte on: the importer reads a file.
        request.upload_handlers = [NamelessFileUploadHandler(request)]
        try:
            with UPLOADS.slot():
                return checked(request)
        except Busy as busy:
            response = HttpResponse(status=busy.status_code)
            response["Retry-After"] = str(busy.wait)
            return response

    return view


def _preview(request: HttpRequest, form: UploadForm) -> HttpResponse:
    """What the file is taken for, as a form to be corrected; nothing is stored."""
    if not form.is_valid():
        return _refused(request, form, list(form.errors.values()))
    try:
        taken = _taken(form)
    except (BadFile, BadMapping, OverBounds) as error:
        return _refused(request, form, [_words(error)], status=200)  # that is what was asked
    return _shown(request, form, taken)


def _store(request: HttpRequest, form: UploadForm) -> HttpResponse:
    """Store the file as it is taken with what was said, and tell what became of it."""
    if not form.is_valid():
        return _refused(request, form, list(form.errors.values()))
    try:
        taken = _taken(form)
        if missing := _missing(form, taken, request):
            return _shown(request, form, taken, errors=missing, status=400)
        report = _import_recording(request, form) if taken.is_recording else _import_captures(request, form, taken)
        if name := _name_to_save(form, taken, request):
            save_mapping(name, taken.found.mapping, saved_by=request.user.get_username())
    except (BadFile, BadMapping, BadName, OverBounds, NotRegistered, InvalidRows) as error:
        return _refused(request, form, [_words(error)])
    except DATABASE_ERRORS as error:
        mark_undone(error, False)  # the batches before are stored
        raise
    count_upload(report.run)
    return _told(request, form, taken, report)


preview = _takes_files(_preview)
store = _takes_files(_store)


def _taken(form: UploadForm) -> Taken:
    stream = form.cleaned_data["file"].file
    content = read_stream(stream, Path(form.file_name), Bounds(settings.API_MAX_UPLOAD_CONTENT_BYTES))
    stream.seek(0)
    return take_in(form, content)


def _words(error: Exception) -> str:
    if isinstance(error, BadFile):
        return f"{error.reason}; {error.advice}."
    return f"{str(error).rstrip('.')}."


def _name_to_save(form: UploadForm, taken: Taken, request: HttpRequest) -> str:
    """Under which the mapping is to be kept; empty: it is not."""
    return form.cleaned_data["save_as"] if request.user.has_perm(MAY_SAVE) and not taken.is_recording else ""


def _missing(form: UploadForm, taken: Taken, request: HttpRequest) -> list[str]:
    """What has to be said before the file can be stored."""
    asked, missing = form.cleaned_data, []
    if not asked["machine"] or not asked["sensor"]:
        missing.append(gettext("Enter the machine and the sensor."))
    if taken.is_recording:
        if not request.user.has_perm(MAY_ADD_RECORDING):
            missing.append(gettext("Your role may store captures, but not labelled recordings."))
    elif taken.found.problem is None and not taken.found.doubts and taken.found.needs_start:
        missing.append(gettext("Enter when the measurement began."))
    if (name := _name_to_save(form, taken, request)) and is_another(name, taken.found.mapping):
        missing.append(gettext("Other columns are saved as “%(name)s”. Choose another name.") % {"name": name})
    return missing


def _registered_by() -> RegisteredBy | None:
    return RegisteredBy.API if settings.API_REGISTERS_MACHINES else None


def _import_captures(request: HttpRequest, form: UploadForm, taken: Taken) -> Report:
    taken.found.check_storable()
    options = CaptureOptions(
        naming=CaptureNaming(machine=form.cleaned_data["machine"], sensor=form.cleaned_data["sensor"]),
        said=taken.said,
        started_by=request.user.get_username(),
        registered_by=_registered_by(),
    )
    bounds = Bounds(settings.API_MAX_UPLOAD_CONTENT_BYTES, settings.API_MAX_UPLOAD_SECONDS)
    stream = form.cleaned_data["file"].file
    return import_capture_file(stream, Path(form.file_name), options, bounds=bounds)


def _import_recording(request: HttpRequest, form: UploadForm) -> Report:
    asked = form.cleaned_data
    time = asked["time"] if asked["time"] in RECORDING_TIMES else "seconds"
    options = Options(
        naming=Naming(
            machine=asked["machine"],
            sensor=asked["sensor"],
            recording=recording_name(form),
            started_at=asked["started_at"] if time == "seconds" else None,
        ),
        time=time,
        started_by=request.user.get_username(),
        registered_by=_registered_by(),
    )
    bounds = Bounds(settings.API_MAX_UPLOAD_CONTENT_BYTES, settings.API_MAX_UPLOAD_SECONDS)
    return import_file(asked["file"].file, Path(form.file_name), options, bounds=bounds)


def _shown(
    request: HttpRequest, form: UploadForm, taken: Taken, *, errors: list[str] | None = None, status: int = 200
) -> HttpResponse:
    asked, started_at = form.cleaned_data, form.cleaned_data["started_at"]
    may_store = request.user.has_perm(MAY_ADD_RECORDING) if taken.is_recording else not (taken.doubts or taken.problem)
    proposed = form.changed_at() if taken.is_start_open and not started_at else None
    start = started_at or proposed
    # Of a saved mapping, too: what is shown is stored by what stands in the form.
    mapping = taken.found.mapping
    said = {"rate_hz": mapping.rate_hz, "rpm": mapping.rpm}
    context = {
        "form": form,
        "taken": taken,
        "errors": errors or [],
        "may_not_store": taken.is_recording and not may_store,
        "kinds": KINDS,
        "kind": RECORDING if taken.is_recording else CAPTURES,
        "uses": USES,
        "recording_times": [(it, TIME_NAMES.get(it, TIME_NAMES["s"])) for it in RECORDING_TIMES],
        "machine": asked["machine"] or taken.machine,
        "sensor": asked["sensor"] or taken.sensor,
        "recording": recording_name(form),
        "started_at": f"{timezone.localtime(start):%Y-%m-%dT%H:%M:%S.%f}"[:-3] if start else "",
        "is_start_proposed": proposed is not None,
        "rate": significant(taken.found.table.rate_hz, 7),
        "has_times": any(it.use == TIME for it in taken.columns) or taken.asks_time,
        "time": (not asked["mapping"] and asked["time"]) or ("" if taken.asks_time else mapping.time),
        "said": {name: form[name].value() if value is None else repr(value) for name, value in said.items()},
        "others": json.dumps(taken.others, ensure_ascii=False),
        "may_store": may_store,
        "may_save": request.user.has_perm(MAY_SAVE),
    }
    return render(request, "vibration/upload_taken.html", context, status=status)


def _refused(request: HttpRequest, form: UploadForm, errors: list, *, status: int = 400) -> HttpResponse:
    """For what can't be shown as columns, or is no form of this page."""
    flat = [str(it) for error in errors for it in (error if isinstance(error, list) else [error])]
    return render(request, "vibration/upload_refused.html", {"form": form, "errors": flat}, status=status)


def _told(request: HttpRequest, form: UploadForm, taken: Taken, report: Report) -> HttpResponse:
    run = report.run
    is_stored = run.outcome in (ImportRun.Outcome.COMPLETE, ImportRun.Outcome.PROBLEMS)
    context = {"form": form, "report": report, "run": run, "is_recording": taken.is_recording, "is_stored": is_stored}
    context["remarks"] = [remark_text(it) for it in report.notes if isinstance(it, Remark)]
    context["lines"] = [*report.problems, *(it for it in report.notes if not isinstance(it, Remark))]
    if taken.is_recording:
        context["recording"] = Recording.objects.filter(import_runs=run).select_related("sensor__machine").first()
    else:
        context["captures"] = _captures_of(taken.found, form)[:LINKED_CAPTURES]
    return render(request, "vibration/upload_report.html", context, status=200 if is_stored else 400)


def _captures_of(found: Understood, form: UploadForm) -> list[Capture]:
    """Those that are stored under the keys of a file's signals, in order of time."""
    keys = {(it.axis, it.started_at) for it in found.signals}
    stored = Capture.objects.without_samples().filter(
        sensor__machine__name=form.cleaned_data["machine"],
        sensor__sensor_no=form.cleaned_data["sensor"],
        axis__in={axis for axis, _start in keys},
        started_at__in=[start for _axis, start in keys][:1_000],
    )
    return [it for it in stored.order_by("started_at", "axis") if it.key in keys]
