"""The list of alarms, the story of each, and what people do about it."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from common.page_queries import reads
from common.periods import query_with
from diagnosis.episodes.standing import Kind
from diagnosis.history.exporting import export_episodes
from diagnosis.models import Episode, VibrationDiagnosis
from diagnosis.pages.act_forms import FORMS, ActForm
from diagnosis.pages.alarm_list import PER_PAGE, STAGE_NAMES, TABS, alarms_of, count, of_tab
from diagnosis.pages.alarm_story import story_of
from diagnosis.pages.forms import AlarmForm
from diagnosis.pages.live import render_live
from diagnosis.states import STALE
from diagnosis.storage.acts import Actor, Moved

MAY_ACT = "diagnosis.add_episodeact"
may_view = permission_required("diagnosis.view_episode", raise_exception=True)
may_act = permission_required(MAY_ACT, raise_exception=True)
_NARROWED = ("machine", "state", "severity", "family", "after", "before", "range")


@may_view
@reads(AlarmForm)
def alarms(request: HttpRequest) -> HttpResponseBase:
    form = AlarmForm(request.GET)
    if not form.is_valid():
        return render(request, "diagnosis/alarms.html", {"form": form}, status=400)
    now = timezone.now()
    if form.cleaned_data["format"]:
        matching = form.narrow(Episode.objects.all(), now)
        return export_episodes(request, of_tab(matching, TABS[form.chosen_tab], now, with_old=form.has_period()), now)
    return render_live(request, "diagnosis/alarms.html", "diagnosis/alarms_now.html", lambda _: _list(request, form))


def _list(request: HttpRequest, form: AlarmForm) -> dict:
    now = timezone.now()
    matching = form.narrow(Episode.objects.all(), now)
    tab, page, with_old = TABS[form.chosen_tab], form.cleaned_data["page"] or 1, form.has_period()
    first = (page - 1) * PER_PAGE
    # Not by a join: MariaDB would begin it at the machines, and sort all episodes.
    rows = of_tab(matching, tab, now, with_old=with_old).prefetch_related("machine").order_by(*tab.order)
    found = list(rows[first : first + PER_PAGE + 1])
    return {
        "form": form,
        "tabs": [
            {
                "key": key,
                "name": it.name,
                "count": count(of_tab(matching, it, now, with_old=with_old)),
                "query": query_with(request.GET, leave_out=("page",), tab=key),
            }
            for key, it in TABS.items()
        ],
        "tab": form.chosen_tab,
        "recent_days": tab.recent.days if tab.recent and not with_old else None,
        "alarms": alarms_of(found[:PER_PAGE], now),
        "page": page,
        "newer_query": query_with(request.GET, page=page - 1) if page > 1 else "",
        "older_query": query_with(request.GET, page=page + 1) if len(found) > PER_PAGE else "",
        "csv_query": query_with(request.GET, format="csv", leave_out=("page",)),
        "all_query": query_with(request.GET, leave_out=(*_NARROWED, "page")),
        "nothing_stored": not found and not VibrationDiagnosis.objects.exists(),
        "may_act": request.user.has_perm(MAY_ACT),
        "silence": STALE,
    }


@may_view
@reads()
def alarm(request: HttpRequest, number: int) -> HttpResponse:
    return _story(request, number)


@reads()
def act(request: HttpRequest, number: int, kind: Kind) -> HttpResponse:
    """Do something about an alarm. Whoever comes here by a link, as after a login, is led to the alarm."""
    return _act(request, number, kind) if request.method == "POST" else redirect("alarm", number)


@may_act
def _act(request: HttpRequest, number: int, kind: Kind) -> HttpResponse:
    episode = get_object_or_404(Episode.objects.select_related("machine"), pk=number)
    form = FORMS[kind](episode, request.POST)
    if form.is_valid():
        try:
            stored = form.store(Actor.of(request))
        except Moved as moved:
            if not _has_come_twice(moved, form, request):
                return _refused(request, moved, form)
            stored = moved.acts[-1]
        if stored:
            return _done(request, episode, kind)
    if _is_part(request):
        errors = [error for found in form.errors.values() for error in found]
        return render(request, "diagnosis/act_refused.html", {"episode": episode, "errors": errors}, status=400)
    return _story(request, number, form, status=400)


def _has_come_twice(moved: Moved, form: ActForm, request: HttpRequest) -> bool:
    """Whether all that happened since is that the same person did just this, as by a double click."""
    return [act.by_id for act in moved.acts] == [request.user.pk] and form.asks_for(moved.acts[0])


def _done(request: HttpRequest, episode: Episode, kind: Kind) -> HttpResponse:
    if _is_part(request):
        response = render(request, "diagnosis/act_done.html", {"episode": episode, "kind": kind})
        response.headers["HX-Trigger"] = "acted"  # what keeps itself up to date asks at once
        return response
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        return HttpResponseRedirect(back)  # not `redirect`, which would look up a word as the name of a page
    return redirect(episode)


def _refused(request: HttpRequest, moved: Moved, form: ActForm) -> HttpResponse:
    """What became of it meanwhile, and who did what when."""
    if not _is_part(request):
        return _story(request, moved.episode.pk, form, moved=moved, status=409)
    stage = STAGE_NAMES[moved.episode.stage()]
    return render(
        request, "diagnosis/act_refused.html", {"episode": moved.episode, "moved": moved, "stage": stage}, status=409
    )


def _story(
    request: HttpRequest, number: int, sent: ActForm | None = None, *, moved: Moved | None = None, status: int = 200
) -> HttpResponse:
    """The page of an alarm; `sent` is a form of which nothing was stored."""
    episode = get_object_or_404(Episode.objects.select_related("machine", "follows", "merged_into"), pk=number)
    story = story_of(episode, timezone.now())
    offered = story.alarm.legal if request.user.has_perm(MAY_ACT) else set()
    if sent and not moved:
        offered |= {sent.kind}  # so that what is wrong with it is told
    forms = [FORMS[kind](episode) for kind in FORMS if kind in offered]
    if sent:
        # What was written is not lost; about an alarm that moved it is to be sent again.
        again = FORMS[sent.kind](episode, said=sent.data) if moved else sent
        forms = [again if it.kind == sent.kind else it for it in forms]
    context = {
        "story": story,
        "alarm": story.alarm,
        "episode": episode,
        "forms": forms,
        "moved": moved,
        "stage": story.alarm.stage_name,
        "shows_addresses": request.user.has_perm("auditlog.view_logentry"),
    }
    return render(request, "diagnosis/alarm.html", context, status=status)


def _is_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
