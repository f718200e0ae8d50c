from datetime import datetime, timedelta
from functools import cache

from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from common.admin.lists import record_url
from common.page_queries import reads
from common.periods import query_with
from diagnosis.history.exporting import export_diagnoses, export_runs
from diagnosis.history.reading import read_runs
from diagnosis.history.run_objects import tell_runs
from diagnosis.models import CurrentState, EpisodeAct, VibrationDiagnosis
from diagnosis.pages.about import about
from diagnosis.pages.alarm_list import over_alarms
from diagnosis.pages.alarm_views import MAY_ACT
from diagnosis.pages.forms import DiagnosisForm, HistoryForm, TimelineForm
from diagnosis.pages.live import kept_while, render_live
from diagnosis.pages.overview import counts_of, state_of, tiles_of
from diagnosis.pages.trends.small import SMALL_TEXT, small_trends
from diagnosis.states import STALE, FaultType
from diagnosis.storage.current_states import as_of
from machines.models import Machine
from vibration.models import Recording
from vibration.pages.capture_list import newest_rows
from vibration.pages.capture_views import MAY_ADD
from vibration.storage.conflicts import conflicts_of

HISTORY_ROWS = 100
_FILTERS = ("state", "after", "before", "range", "cursor")
RECENT_RUNS = 20
RECENT = timedelta(days=7)
may_view = permission_required("diagnosis.view_vibrationdiagnosis", raise_exception=True)

# What static/js/timeline.js says.
TIMELINE_TEXT = {
    "from": pgettext_lazy("period", "From"),
    "to": pgettext_lazy("period", "To"),
    "since_before": _("before {time}"),
    "until_now": _("{time}, ongoing"),
    "duration": pgettext_lazy("period", "Duration"),
    "count": _("Diagnoses"),
    "model": _("Model"),
    "models": _("{first} to {last}"),
    "confidence": _("Confidence"),
    "unknown": _("not given"),
    "reduced": _("{runs} runs within one pixel; the worst state of them is shown. Zoom in to see each."),
    "days": _("{n} d"),
    "hours": _("{n} h"),
    "minutes": _("{n} min"),
    "seconds": _("{n} s"),
    "shown": _("Machines: {machines}, diagnoses: {count}, {start} to {end}"),
    "nothing": _("There are no diagnoses in this period."),
    "reads": _("{machine}: {state}, {start} to {end}"),
    "acknowledge": _("acknowledged"),
    "close": pgettext_lazy("act", "closed"),
    "note": pgettext_lazy("act", "noted"),
    **{verdict.value: verdict.label for verdict in EpisodeAct.Verdict},
    "at": _("Time"),
    "comment": _("Comment"),
    "action": _("Action taken"),
    "reads_act": _("{machine}: {what}, {who}, {time}"),
    "away": _("The server does not answer. What you see is from {time}."),
    "failed": _("The server could not answer (HTTP {status}). What you see is from {time}."),
    "gone": _("There is nothing at this address."),
    "outdated": _("What this page asked for no longer exists or cannot be answered. Reload the page."),
    "logged_out": _("You are logged out."),
    "too_often": _("Too many requests came from here. This page continues by itself in {seconds} s."),
}


@may_view
@reads()
def overview(request):
    may_act, may_add = request.user.has_perm(MAY_ACT), request.user.has_perm(MAY_ADD)

    def machines() -> str:
        active = Machine.objects.filter(is_active=True).select_related("current_state").order_by("name")
        tiles = tiles_of(list(active), timezone.now())
        shown = {"tiles": tiles, "counts": counts_of(tiles), "may_act": may_act, "may_add": may_add}
        return render_to_string("diagnosis/all_machines.html", shown)

    def context(version: str) -> dict:
        # For all who may do the same: nobody's own token is in what is kept.
        key = f"overview:{get_language()}:{'acting' if may_act else 'looking'}:{'adding' if may_add else 'reading'}"
        return {"machines": kept_while(version, key, machines), "may_act": may_act}

    return render_live(request, "diagnosis/overview.html", "diagnosis/overview_now.html", context)


@may_view
@reads()
def machine(request, name: str):
    return _machine(request, name)


@may_view
@reads(None, "name")
def machine_by_name(request):
    """For names that can't stand in a path, see Machine.get_absolute_url."""
    return _machine(request, request.GET.get("name", ""))


def _machine(request, name: str):
    found = get_object_or_404(Machine.objects.select_related("current_state"), name=name)

    captures = cache(lambda: newest_rows(found))  # the part that updates itself has none

    def context(version: str) -> dict:
        now = timezone.now()
        history = read_runs([found], now - RECENT, now, now=now)
        runs = list(tell_runs(found, history, now - RECENT, now))
        return {
            "machine": found,
            "tile": tiles_of([found], now)[0],
            "over": over_alarms(found, now),
            "may_act": request.user.has_perm(MAY_ACT),
            "silence": STALE,
            "conflicts": [(it, record_url(request.user, it.record)) for it in conflicts_of(found, now)],
            "runs": runs[: -RECENT_RUNS - 1 : -1],
            "earlier_runs": max(0, len(runs) - RECENT_RUNS),
            "about": list(about(found)),
            "recordings": Recording.objects.of_machine(name).with_place(),
            "captures": captures,
            "trends": lambda: small_trends(captures()),
            "trend_text": SMALL_TEXT,
            "sensors": found.sensors.order_by("sensor_no"),
        }

    return render_live(request, "diagnosis/machine.html", "diagnosis/machine_now.html", context)


@may_view
@reads(DiagnosisForm)
def dashboard(request):
    form = DiagnosisForm(request.GET)
    if not form.is_valid():
        return render(request, "diagnosis/dashboard.html", {"form": form}, status=400)
    now = timezone.now()
    diagnoses = VibrationDiagnosis.objects.in_period(*form.period(now))
    machines, states = form.chosen_machines(), form.cleaned_data["state"] or FaultType.values
    if form.cleaned_data["format"]:
        return export_diagnoses(request, diagnoses.filter(machine__in=machines, fault_type__in=states).newest_first())
    latest = diagnoses.latest_of_states(machines, states)
    context = {
        "form": form,
        "latest": _with_present(latest, now),
        "nothing_stored": not latest and not VibrationDiagnosis.objects.exists(),
        "history_query": query_with(request.GET, leave_out=("machine", "format")),
        "csv_query": query_with(request.GET, format="csv"),
    }
    return render(request, "diagnosis/dashboard.html", context)


@may_view
@reads(HistoryForm)
def history(request):
    """The diagnoses of one machine, newest first; inside the dashboard, or a page of its own."""
    form = HistoryForm(request.GET)
    if not form.is_valid():
        return render(request, "diagnosis/history.html", {"form": form}, status=400)
    [machine] = form.chosen_machines()
    diagnoses = form.after_place(
        VibrationDiagnosis.objects.in_period(*form.period(timezone.now()))
        .filter(fault_type__in=form.cleaned_data["state"] or FaultType.values)
        .of_machine(machine)
    )
    rows = list(diagnoses[: HISTORY_ROWS + 1])
    shown = rows[:HISTORY_ROWS]
    context = {
        "form": form,
        "machine": machine,
        "rows": _with_waveforms(machine, shown),
        "older_query": query_with(request.GET, cursor=shown[-1].pk) if len(rows) > HISTORY_ROWS else "",
        "all_query": query_with(request.GET, leave_out=_FILTERS) if any(map(request.GET.get, _FILTERS)) else "",
        "newest_query": query_with(request.GET, leave_out=("cursor",)) if request.GET.get("cursor") else "",
    }
    part = request.headers.get("HX-Request") == "true"
    response = render(request, "diagnosis/history_rows.html" if part else "diagnosis/history.html", context)
    response.headers["Vary"] = "HX-Request"
    return response


@may_view
@reads(TimelineForm)
def timeline(request):
    form = TimelineForm(request.GET)
    if not form.is_valid():
        return render(request, "diagnosis/timeline.html", {"form": form}, status=400)
    now = timezone.now()
    start, end = form.span(now)
    if form.cleaned_data["format"]:
        return export_runs(request, form.chosen_machines(), form.cleaned_data["state"], start, end, now)
    page = form.cleaned_data["page"] or 1
    context = {
        "form": form,
        "machines": form.page_of_machines(),
        "nothing_stored": not VibrationDiagnosis.objects.exists(),
        "text": TIMELINE_TEXT,
        "states": [{"number": it.value, "key": it.key, "name": it.label, "shape": it.shape} for it in FaultType],
        "page": page,
        "pages": form.pages(),
        "earlier_query": query_with(request.GET, page=page - 1),
        "later_query": query_with(request.GET, page=page + 1),
        "csv_query": query_with(request.GET, format="csv", leave_out=("page",)),
    }
    return render(request, "diagnosis/timeline.html", context)


def _with_present(latest: list[VibrationDiagnosis], now: datetime) -> list[dict]:
    """Each diagnosis with what is so now: `stale` if it is the newest of all and old; `now` if there is a newer one."""
    current = CurrentState.objects.in_bulk([it.machine_id for it in latest])
    found = []
    for it in latest:
        known = as_of(current.get(it.machine_id), now)
        is_newest = known is not None and known.key == (it.detected_at, it.model_name)
        present = state_of(it.machine, known, now)
        stale = is_newest and present == STALE
        state = STALE if stale else it.state
        found.append({"diagnosis": it, "state": state, "stale": stale, "now": None if is_newest else present})
    return found


def _with_waveforms(machine: Machine, diagnoses: list[VibrationDiagnosis]) -> list[dict]:
    """Each diagnosis with the address of what was measured then, if a recording is known to cover its instant."""
    recordings = []
    if diagnoses:
        recordings = list(
            Recording.objects.of_machine(machine.name)
            .with_place()
            .taken_between(diagnoses[-1].detected_at, diagnoses[0].detected_at)
        )
    return [
        {
            "diagnosis": it,
            "waveform": next((link for recording in recordings if (link := recording.url_at(it.detected_at))), None),
        }
        for it in diagnoses
    ]
