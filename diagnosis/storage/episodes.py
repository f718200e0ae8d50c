"""The only code that writes episodes; callers hold the machine's lock.

Episodes are what `diagnosis.episodes.spans` makes of the diagnoses of a stream (one machine, one family of models) and
of the closings of people. Diagnoses that come in their order are added to where the stream stood, its tail. One that
comes late, or is deleted, has the stretch that it can change read anew: from where the stream was settled before it to
where it is settled again. Settled is a stream after so many normal diagnoses in a row that nothing before them counts.

Whatever the order, the same episodes come out. A row keeps its number as long as its span overlaps what it was.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from diagnosis.episodes.families import family_of
from diagnosis.episodes.spans import Closing, Ending, Fold, Point, Span, run
from diagnosis.episodes.standing import Kind, Standing, tell
from diagnosis.models import Episode, EpisodeAct, EpisodeTail, VibrationDiagnosis
from diagnosis.models.episodes import Attention
from diagnosis.models.notices import Transition
from diagnosis.notices.outbox import Event
from diagnosis.notices.outbox import tell as tell_people
from diagnosis.states import SEVERITIES, FaultType
from diagnosis.storage.streams import Key, Start, Stream, Stretch, settled_before
from machines.episode_rules import Rule
from machines.models import Machine, rule_of

# What a diagnosis that comes in its order may change of the episode that is open
_GROWING = ["last_at", "count", "model_names", "least_confidence", "greatest_confidence"]
_ENDING = ["ended_at", "ending", "attention", "revision"]
_EDGES = ["fault_type", "began_at", "opened_at", "opened_by", "ended_at", "ending", "live", "follows_id"]


def take(new: Iterable[VibrationDiagnosis], rules: Mapping[int, Rule]) -> None:
    """After these diagnoses were stored. `rules` has that of each of their machines."""
    by_stream: defaultdict[Stream, list[Point]] = defaultdict(list)
    for it in new:
        stream = Stream(it.machine_id, family_of(it.model_name))
        by_stream[stream].append(Point(it.detected_at, it.model_name, it.fault_type, it.confidence))
    if not by_stream:
        return
    machines = {stream.machine_id for stream in by_stream}
    tails = {Stream(it.machine_id, it.family): it for it in EpisodeTail.objects.filter(machine__in=machines)}
    active = _active([stream.machine_id for stream, tail in tails.items() if tail.is_active and stream in by_stream])
    grown = _Changes()
    moved: list[EpisodeTail] = []
    for stream, points in sorted(by_stream.items()):
        points.sort(key=lambda it: it.key)
        rule, tail = rules[stream.machine_id], tails.get(stream)
        if tail is None or tail.rule != str(rule):
            _read_anew(stream, rule, grown)
        elif points[0].key <= (tail.last_at, tail.last_model) or _is_closed(tail, points[0]):
            _read_anew(stream, rule, grown, (points[0].key, points[-1].key))
        else:
            moved.append(_go_on(stream, tail, active.get(stream), points, rule, grown))
    _upsert(moved)
    grown.store()


def take_back(deleted: Iterable[VibrationDiagnosis], rules: Mapping[int, Rule]) -> None:
    """After these diagnoses were deleted."""
    keys: defaultdict[Stream, list[Key]] = defaultdict(list)
    for it in deleted:
        keys[Stream(it.machine_id, family_of(it.model_name))].append((it.detected_at, it.model_name))
    changes = _Changes()
    for stream, of_stream in sorted(keys.items()):
        _read_anew(stream, rules[stream.machine_id], changes, (min(of_stream), max(of_stream)))
    changes.store()


def close_up(episode: Episode, rule: Rule) -> None:
    """After somebody closed an episode: what comes later is another one's."""
    stream = Stream(episode.machine_id, episode.family)
    changes = _Changes()
    _read_anew(stream, rule, changes, ((episode.began_at, ""), (episode.last_at, "")))
    changes.store()


def rebuild(machine: Machine) -> int:
    """Make all episodes of a machine anew, which must change nothing; how many rows were changed."""
    rule = rule_of(machine.episode_rule)
    names = VibrationDiagnosis.objects.filter(machine=machine).order_by().values_list("model_name", flat=True)
    families = {family_of(name) for name in names.distinct()}
    families |= set(EpisodeTail.objects.filter(machine=machine).values_list("family", flat=True))
    families |= set(Episode.objects.filter(machine=machine).order_by().values_list("family", flat=True).distinct())
    changes = _Changes()
    for family in sorted(families):
        _read_anew(Stream(machine.pk, family), rule, changes)
    changes.store()
    return changes.count


def stand(episode: Episode) -> None:
    """Bring what the acts say of an episode up to date; the row is not saved."""
    _stand(episode, acts_of(episode))
    _mark_attention(episode)


def acts_of(episode: Episode) -> list[EpisodeAct]:
    """The acts that count for an episode, in the order in which they were done."""
    span = _span_of(episode)
    acts = _acts_about(Stream(episode.machine_id, episode.family), episode.began_at)
    return [act for act in acts if span.holds(act.about)]


# --- Diagnoses that come in their order


def _active(machines: list[int]) -> dict[Stream, Episode]:
    if not machines:  # as mostly
        return {}
    rows = Episode.objects.live().filter(machine__in=machines, ended_at__isnull=True)
    return {Stream(it.machine_id, it.family): it for it in rows}


def _is_closed(tail: EpisodeTail, point: Point) -> bool:
    return tail.closed_up_to is not None and point.at <= tail.closed_up_to


def _go_on(
    stream: Stream, tail: EpisodeTail, row: Episode | None, points: list[Point], rule: Rule, changes: "_Changes"
) -> EpisodeTail:
    span = _span_of(row) if row else None
    window = [Point(datetime.fromisoformat(at), *rest) for at, *rest in tail.window]
    fold = Fold(rule, SEVERITIES, window=window, normals=tail.normals, span=span)
    for point in points:
        fold.add(point)
    rows = {span: row} if span and row else {}
    opened = [it for it in fold.spans if it is not span]
    acts: list[EpisodeAct] | None = None
    if opened or fold.span is not span:  # which is rare: then an act may be about another episode than before
        acts = _acts_about(stream, fold.spans[0].began_at)
    if opened and acts is not None:
        withdrawn = Episode.objects.of_stream(*stream).filter(live__isnull=True, last_at__gte=opened[0].began_at)
        rows |= _assign(opened, list(withdrawn), acts)
    changes.add(stream, fold.spans, rows, acts)
    return _tail(stream, rule, fold, points[-1].key, tail.closed_up_to)


def _span_of(row: Episode) -> Span:
    span = Span(
        row.fault_type,
        row.began_at,
        row.opened_at,
        row.last_at,
        row.opened_by,
        row.count,
        set(row.model_names),
        row.least_confidence,
        row.greatest_confidence,
        row.ended_at,
        Ending(row.ending),
    )
    if row.follows_id:
        # Only that there is one counts: where the span begins to be spoken about.
        span.follows = Span(row.fault_type, row.began_at, row.began_at, row.began_at)
    return span


def _tail(stream: Stream, rule: Rule, fold: Fold, last: Key, closed_up_to: datetime | None) -> EpisodeTail:
    window = [[it.at.isoformat(), it.model, it.state, it.confidence] for it in fold.window]
    return EpisodeTail(
        machine_id=stream.machine_id,
        family=stream.family,
        rule=str(rule),
        last_at=last[0],
        last_model=last[1],
        window=window,
        # More normal ones than clear anything are as good as that many.
        normals=min(fold.normals, rule.settled_after),
        is_active=fold.span is not None,
        closed_up_to=closed_up_to,
    )


def _upsert(tails: list[EpisodeTail]) -> None:
    kept = ["rule", "last_at", "last_model", "window", "normals", "is_active", "closed_up_to"]
    # SQLite wants the key to be named, MySQL refuses that.
    unique: dict[str, Any] = {} if connection.vendor == "mysql" else {"unique_fields": ["machine", "family"]}
    EpisodeTail.objects.bulk_create(tails, update_conflicts=True, update_fields=kept, **unique)


# --- Diagnoses that come late, or went


def _read_anew(stream: Stream, rule: Rule, changes: "_Changes", changed: tuple[Key, Key] | None = None) -> None:
    """Make the episodes of a stream anew: all, or those that the diagnoses from one key to another can change."""
    known = EpisodeTail.objects.filter(machine=stream.machine_id, family=stream.family).first()
    if known is None or known.rule != str(rule):
        changed = None  # what lies outside that stretch was made by another rule
    start = settled_before(stream, rule, changed[0]) if changed else Start(None, None)
    acts = _acts_about(stream, start.after)
    closings = _closings(acts)
    stretch = Stretch(stream, rule, start.after, changed[1] if changed else None)
    fold = Fold(rule, SEVERITIES)
    run(fold, stretch.points(), closings)

    rows = Episode.objects.of_stream(*stream).order_by("opened_at", "pk")
    if start.after is not None:
        rows = rows.filter(began_at__gt=start.after)
    if stretch.settled_at is not None:
        rows = rows.filter(began_at__lte=stretch.settled_at)
    found = list(rows)
    assigned = _assign(fold.spans, found, acts)
    kept = {row.pk for row in assigned.values()}
    changes.withdraw([row for row in found if row.pk not in kept], fold.spans, assigned)
    changes.add(stream, fold.spans, assigned, acts, is_late=True)

    if stretch.settled_at is None:  # read to its end
        last = stretch.last or start.last
        covered = [it.covers_to for it in closings]
        if known and known.closed_up_to:
            covered.append(known.closed_up_to)
        closed_up_to = max(covered, default=None)
        if last is None:
            EpisodeTail.objects.filter(machine=stream.machine_id, family=stream.family).delete()
        else:
            _upsert([_tail(stream, rule, fold, last, closed_up_to)])


def _acts_about(stream: Stream, since: datetime | None) -> list[EpisodeAct]:
    acts = EpisodeAct.objects.filter(machine=stream.machine_id, family=stream.family)
    if since is not None:
        acts = acts.filter(about__gte=since)
    return list(acts.order_by("pk"))


def _closings(acts: list[EpisodeAct]) -> list[Closing]:
    return sorted(
        Closing(act.covers_to, act.about) for act in acts if act.kind == Kind.CLOSE and act.covers_to is not None
    )


# --- Spans and the rows that stand for them


def _assign(spans: list[Span], rows: list[Episode], acts: list[EpisodeAct]) -> dict[Span, Episode]:
    """For each span the row that was it: that of the same opening, or one that overlaps it, rather one of whose acts
    it holds."""
    opened = {(it.opened_at, it.opened_by): it for it in spans}
    assigned = {opened[key]: row for row in rows if row.live and (key := (row.opened_at, row.opened_by)) in opened}
    acted: defaultdict[int, list[datetime]] = defaultdict(list)
    for act in acts:
        acted[act.episode_id].append(act.about)
    taken = {row.pk for row in assigned.values()}
    spans = [it for it in spans if it not in assigned]
    rows = [row for row in rows if row.pk not in taken]
    pairs = [(span, row) for span in spans for row in rows if _overlaps(row, span)]
    pairs.sort(
        key=lambda pair: (
            -sum(map(pair[0].holds, acted[pair[1].pk])),
            not pair[1].live,
            pair[1].fault_type != pair[0].fault,
            pair[1].pk,
            pair[0].opened_at,
        )
    )
    for span, row in pairs:
        if span not in assigned and row.pk not in taken:
            assigned[span] = row
            taken.add(row.pk)
    return assigned


class _Changes:
    """Rows to store at the end of one write, and what people are to be told of them."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.count = 0  # rows that changed
        self._events: list[Event] = []
        self._growing: list[Episode] = []
        self._ending: list[Episode] = []

    def add(
        self,
        stream: Stream,
        spans: list[Span],
        rows: Mapping[Span, Episode],
        acts: list[EpisodeAct] | None,
        *,
        is_late: bool = False,
    ) -> None:
        """What became of a stream; `acts` are those about these spans, None if nothing can have changed about them."""
        rows = dict(rows)
        if is_late:
            self._make_room(spans, rows)
        for span in spans:
            row = rows.get(span)
            is_new = row is None
            if row is None:
                row = rows[span] = Episode(machine_id=stream.machine_id, family=stream.family)
            before = {} if is_new else {name: getattr(row, name) for name in _stored_names()}
            _fill(row, span, rows)
            if acts is not None:
                _stand(row, [act for act in acts if span.holds(act.about)])
            _mark_attention(row)
            self._keep(row, before, is_late=is_late)

    def _make_room(self, spans: list[Span], rows: dict[Span, Episode]) -> None:
        """Rows that move must not meet at one instant on their way."""
        places = ((rows[it], (it.opened_at, it.opened_by)) for it in spans if it in rows)
        moving = [row.pk for row, place in places if (row.opened_at, row.opened_by) != place]
        if moving:
            Episode.objects.filter(pk__in=moving).update(live=None)

    def _keep(self, row: Episode, before: dict[str, Any], *, is_late: bool) -> None:
        if not before:
            row.save()
            self.count += 1
            self._tell_of_new(row)
            return
        changed = [name for name, value in before.items() if getattr(row, name) != value]
        if not changed:
            return
        self.count += 1
        if any(name in _EDGES or name == "standing" for name in changed):
            row.revision += 1
        if is_late and _has_moved(row, before):
            row.revised_at = self.now
        if is_late or not set(changed) <= {*_GROWING, *_ENDING}:
            row.save()
        elif set(changed) <= set(_GROWING):
            self._growing.append(row)
        else:
            self._ending.append(row)
        if row.ending == Ending.CLEARED and before["ending"] == Ending.NONE and before["live"]:
            self._tell(Transition.CLEARED, row, row.ended_at)

    def withdraw(self, rows: list[Episode], spans: list[Span], assigned: Mapping[Span, Episode]) -> None:
        """Rows that no span is left for: gone, unless somebody did something about them or was told of them."""
        rows = [row for row in rows if row.live]
        if not rows:
            return
        numbers = [row.pk for row in rows]
        known = set(EpisodeAct.objects.filter(episode__in=numbers).values_list("episode", flat=True))
        known |= set(Episode.objects.filter(pk__in=numbers, notices__isnull=False).values_list("pk", flat=True))
        gone = set(numbers) - known
        for row in rows:
            if row.pk in gone:
                self.count += 1
                row.delete()
                continue
            if row.follows_id in gone:
                row.follows = None
            into = next((assigned[it] for it in spans if it in assigned and _overlaps(row, it)), None)
            row.live, row.merged_into, row.attention = None, into, Attention.NONE
            row.revised_at = self.now
            row.revision += 1
            row.save()
            self.count += 1

    def _tell_of_new(self, row: Episode) -> None:
        # One that is over already is no news.
        if row.ending == Ending.NONE:
            self._tell(Transition.WORSENED if row.follows_id else Transition.OPENED, row, row.opened_at)

    def _tell(self, transition: Transition, row: Episode, at: datetime | None) -> None:
        if at is not None and at > self.now - settings.NOTICE_AGE:
            self._events.append(Event(transition, row.machine_id, row, at))

    def store(self) -> None:
        _update(self._growing, _GROWING)
        _update(self._ending, [*_GROWING, *_ENDING])
        if self._events:
            tell_people(self._events, self.now)


def _update(rows: list[Episode], names: list[str]) -> None:
    if len(rows) == 1:  # as with each single post; a third of the time
        rows[0].save(update_fields=names)
    else:
        Episode.objects.bulk_update(rows, names, batch_size=200)


def _stored_names() -> list[str]:
    return [*_GROWING, *_EDGES, *_STANDING, "attention", "severity", "merged_into_id"]


_STANDING = ["standing", "acknowledged_at", "acknowledged_by", "shelved_until", "closed_at", "verdict"]


def _fill(row: Episode, span: Span, rows: Mapping[Span, Episode]) -> None:
    row.fault_type, row.severity = span.fault, FaultType(span.fault).alarm_severity
    row.began_at, row.last_at = span.began_at, span.last_at
    row.opened_at, row.opened_by = span.opened_at, span.opened_by
    row.ended_at, row.ending = span.ended_at, span.ending.value
    row.count, row.model_names = span.count, sorted(span.models)
    row.least_confidence, row.greatest_confidence = span.least_confidence, span.greatest_confidence
    if span.follows is None:
        row.follows = None
    elif span.follows in rows:
        row.follows = rows[span.follows]
    row.live, row.merged_into = True, None


def _stand(row: Episode, acts: list[EpisodeAct]) -> None:
    told = tell(acts)
    acknowledged: Any = told.acknowledged
    closed: Any = told.closed
    row.standing = told.standing.value
    row.acknowledged_at = acknowledged.at if acknowledged else None
    row.acknowledged_by = acknowledged.by_name if acknowledged else ""
    row.shelved_until = told.shelved.shelved_until if told.shelved else None
    row.closed_at = closed.at if closed else None
    row.verdict = closed.verdict if closed else ""


def _mark_attention(row: Episode) -> None:
    if row.ending in (Ending.WORSENED, Ending.CLOSED) or row.standing == Standing.CLOSED:
        row.attention = Attention.NONE
    elif row.ending == Ending.NONE:
        row.attention = Attention.ACTIVE
    else:
        row.attention = Attention.NONE if row.standing == Standing.ACKNOWLEDGED else Attention.ENDED


def _has_moved(row: Episode, before: dict[str, Any]) -> bool:
    """Whether late data changed what people had been shown, not only added to it."""
    opened = row.began_at != before["began_at"] or row.opened_at != before["opened_at"]
    ended = before["ended_at"] is not None and row.ended_at != before["ended_at"]
    shortened = row.last_at < before["last_at"]
    # Somebody's closing ends it too, and is no revision.
    return opened or ended or shortened or row.fault_type != before["fault_type"] or not before["live"]


def _overlaps(row: Episode, span: Span) -> bool:
    return row.began_at <= span.last_at and span.began_at <= row.last_at
