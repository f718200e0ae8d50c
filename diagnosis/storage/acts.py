"""The only code that writes what people do about episodes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unicodedata import category

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F, Max, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from common.addresses import address_of
from common.database.transactions import in_transaction
from diagnosis.episodes.standing import LONGEST_SHELF, Kind, legal_kinds
from diagnosis.models import CurrentState, Episode, EpisodeAct, EpisodeTail
from diagnosis.models.episodes import FOUND
from diagnosis.states import FaultType
from diagnosis.storage.episodes import acts_of, close_up, stand
from machines.arrivals import poster_of
from machines.models import Machine, rule_of

Errors = dict[str, str | Promise]
LONGEST_TEXT = 2_000
MOST_SHELVED_MIN = LONGEST_SHELF // timedelta(minutes=1)


@dataclass(frozen=True)
class Actor:
    """Who does something, and from where."""

    user: AbstractBaseUser | None
    name: str
    address: str | None = None

    @classmethod
    def of(cls, request: HttpRequest | Request) -> "Actor":
        """The person; where a program acts for them, the name of its token stands beside theirs."""
        user: Any = request.user
        name = poster_of(request) if isinstance(request, Request) else user.get_username()
        return cls(user, name[:150], address_of(request))


class InvalidAct(Exception):
    """What is wrong with an act, by its fields."""

    def __init__(self, errors: Errors):
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = errors


class Moved(Exception):
    """The act does not fit the episode as it is now: others were faster, or the diagnoses went on.

    `acts` are those that came after what was seen.
    """

    def __init__(self, episode: Episode, acts: list[EpisodeAct]):
        self.episode, self.acts = episode, acts
        super().__init__(_told(episode, acts))


def acknowledge(episode_id: int, actor: Actor, *, seen: int, comment: str = "") -> EpisodeAct:
    """Say that somebody looks after it.

    Each of these raises Moved when the episode's revision is not the one `seen`, or such an act is not legal as it
    stands, InvalidAct for what is wrong with the act itself, and Episode.DoesNotExist.
    """
    return _do(episode_id, actor, Kind.ACKNOWLEDGE, seen, comment=comment)


def shelve(episode_id: int, actor: Actor, *, seen: int, reason: str, minutes: int) -> EpisodeAct:
    """Put it away for so many minutes, for a reason; it comes back by itself."""
    return _do(episode_id, actor, Kind.SHELVE, seen, comment=reason, minutes=minutes)


def unshelve(episode_id: int, actor: Actor, *, seen: int, comment: str = "") -> EpisodeAct:
    """Take it back before its time; who does so has seen it."""
    return _do(episode_id, actor, Kind.UNSHELVE, seen, comment=comment)


def note(episode_id: int, actor: Actor, *, comment: str) -> EpisodeAct:
    """Write something down; possible at any time, whatever was seen."""
    return _do(episode_id, actor, Kind.NOTE, None, comment=comment)


def close(
    episode_id: int,
    actor: Actor,
    *,
    seen: int,
    verdict: str,
    found: int | None = None,
    action: str = "",
    comment: str = "",
) -> EpisodeAct:
    """End it with an outcome; `found` is the state that was found, or OTHER_FAULT.

    A false alarm has found nothing, which need not be said. If the machine goes on being faulty, that is a new episode.
    """
    if verdict == EpisodeAct.Verdict.FALSE and found is None:
        found = FaultType.NORMAL.value
    return _do(episode_id, actor, Kind.CLOSE, seen, comment=comment, verdict=verdict, found=found, action=action)


def history_of(episode: Episode) -> list[EpisodeAct]:
    """What was done about an episode, in the order in which it was done, with what came from others merged into it."""
    own = EpisodeAct.objects.filter(Q(episode=episode) | Q(episode__merged_into=episode))
    found = {act.pk: act for act in [*acts_of(episode), *own]}
    return [found[pk] for pk in sorted(found)]


def check(kind: Kind, content: dict[str, Any]) -> Errors:
    """What is wrong with the content of an act, whatever it is about."""
    errors: Errors = {}
    for name in ("comment", "action"):
        if len(content.get(name) or "") > LONGEST_TEXT:
            errors[name] = _("At most 2,000 characters.")
    if kind is Kind.NOTE and not _says_something(content.get("comment")):
        errors["comment"] = _("Write what is to be noted.")
    if kind is Kind.SHELVE:
        if not _says_something(content.get("comment")):
            errors["reason"] = _("Say why it is shelved.")
        minutes = content.get("minutes")
        if minutes is None or not 1 <= minutes <= MOST_SHELVED_MIN:
            errors["minutes"] = _("Shelve it for 1 minute to 7 days (10,080 minutes).")
    if kind is Kind.CLOSE:
        errors |= _check_outcome(content.get("verdict"), content.get("found"))
    return errors


def _says_something(text: str | None) -> bool:
    """Whether a letter, digit or sign is in it: MySQL takes a text of invisible characters alone for an empty one."""
    return any(category(letter)[0] in "LNPS" for letter in text or "")


def _check_outcome(verdict: str | None, found: int | None) -> Errors:
    if verdict not in EpisodeAct.Verdict.values:
        return {"verdict": _("Say whether the alarm was right: right, false or unclear.")}
    if verdict == EpisodeAct.Verdict.RIGHT and (found == FaultType.NORMAL or found not in dict(FOUND)):
        return {"found": _("Say which fault was found.")}
    if verdict == EpisodeAct.Verdict.FALSE and found != FaultType.NORMAL:
        return {"found": _("Of a false alarm no fault was found. If one was, the alarm was right.")}
    if verdict == EpisodeAct.Verdict.UNCLEAR and found is not None:
        return {"found": _("Leave open what was found if nobody could tell.")}
    return {}


def _do(episode_id: int, actor: Actor, kind: Kind, seen: int | None, **content: Any) -> EpisodeAct:
    content = {name: value.strip() if isinstance(value, str) else value for name, value in content.items()}
    if errors := check(kind, content):
        raise InvalidAct(errors)
    written: list[int] = []

    def act() -> EpisodeAct:
        stored = _write(episode_id, actor, kind, seen, content)
        written.append(stored.pk)
        return stored

    return in_transaction(act, is_stored=_is_one_stored(written))


def _is_one_stored(written: list[int]) -> Callable[[], bool]:
    return lambda: EpisodeAct.objects.filter(pk__in=written[-1:]).exists()


def _write(episode_id: int, actor: Actor, kind: Kind, seen: int | None, content: dict[str, Any]) -> EpisodeAct:
    machine_id = Episode.objects.values_list("machine_id", flat=True).get(pk=episode_id)
    machine = Machine.objects.select_for_update().get(pk=machine_id)  # the lock of all who write its episodes
    episode = Episode.objects.get(pk=episode_id)
    now = timezone.now()
    has_outcome = bool(episode.verdict)
    is_current = seen is None or seen == episode.revision
    if not is_current or kind not in legal_kinds(episode.stage(now), has_outcome=has_outcome):
        raise Moved(episode, _acts_after(episode, seen))
    number = None
    if kind is not Kind.NOTE:
        number = 1 + (episode.acts.aggregate(last=Max("number"))["last"] or 0)
        episode.revision += 1
    if kind is Kind.CLOSE:
        content = content | {"covers_to": _covers_to(episode, now)}
    stored = EpisodeAct.objects.create(
        episode=episode,
        machine_id=episode.machine_id,
        family=episode.family,
        about=episode.last_at,
        kind=kind.value,
        number=number,
        revision=episode.revision,
        at=now,
        by_id=actor.user.pk if actor.user else None,
        by_name=actor.name,
        address=actor.address,
        **content,
    )
    if kind is not Kind.NOTE:
        stand(episode)
        episode.save()
    if kind is Kind.CLOSE:
        close_up(episode, rule_of(machine.episode_rule))
    # Pages ask by this whether there is anything new.
    CurrentState.objects.filter(machine=episode.machine_id).update(revision=F("revision") + 1)
    return stored


def _covers_to(episode: Episode, now: datetime) -> datetime:
    """Up to now, and to the newest diagnosis, whose sender's clock may be ahead."""
    tail = EpisodeTail.objects.filter(machine=episode.machine_id, family=episode.family).first()
    return max(now, episode.last_at, tail.last_at if tail else now)


def _acts_after(episode: Episode, seen: int | None) -> list[EpisodeAct]:
    return [it for it in history_of(episode) if it.number is not None and (seen is None or it.revision > seen)]


def _told(episode: Episode, acts: list[EpisodeAct]) -> str:
    """What became of it, in the words of the API."""
    now = timezone.now()
    said = [f"{act.by_name}: {act.kind} at {timezone.localtime(act.at).isoformat()}" for act in acts]
    became = f"Nothing was stored: the episode is {episode.stage(now).value}, revision {episode.revision}"
    if episode.merged_into_id:
        became += f", as it became part of episode {episode.merged_into_id}"
    return " ".join([f"{became}.", "; ".join(said)]).strip()
