"""The story of one alarm: why it opened, what was measured and said, what people did."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from diagnosis.history.reading import LONGEST_SPAN
from diagnosis.history.strips import Strip, place_in_strip, strip_between
from diagnosis.models import Episode, EpisodeAct, VibrationDiagnosis
from diagnosis.pages.alarm_list import Alarm, alarms_of
from diagnosis.states import FaultType
from diagnosis.storage.acts import history_of
from machines.episode_rules import Rule
from machines.models import rule_of
from vibration.models import Recording
from vibration.models.recordings import SHOWN_AROUND_S
from vibration.numbers.features import Features
from vibration.numbers.states import STATES
from vibration.windows.analysis import analyse

LEAST_LEAD = timedelta(hours=6)  # shown of what was before it
MOST_SENSORS = 4  # whose numbers are told of a moment; each is read and reckoned anew


@dataclass(frozen=True)
class Window:
    """What a sensor measured around a moment, in the column of the state that it was then."""

    recording: Recording
    url: str
    features: Features | None

    @property
    def numbers(self) -> list[str]:
        """RMS, peak, crest factor and kurtosis, to four digits; a dash for what is not defined."""
        of = self.features
        found = (of.rms, of.peak, of.crest_factor, of.kurtosis) if of else (None,) * 4
        return ["–" if it is None else f"{it:.4g}" for it in found]


@dataclass(frozen=True)
class Moment:
    """A diagnosis, and what was measured around it."""

    name: str | Promise
    diagnosis: VibrationDiagnosis | None  # None: there is none
    windows: list[Window]
    more_sensors: int = 0


@dataclass(frozen=True)
class Picture:
    """The states of the machine from some time before an alarm to its end, or to now."""

    start: datetime
    end: datetime
    strip: Strip
    marks: list[float]  # of its opening, and of its end
    is_cut: bool  # the alarm began before it

    @property
    def until(self) -> datetime:
        """For the address of the timeline: whole seconds, so that the end is in it."""
        return self.end + timedelta(seconds=1)


@dataclass(frozen=True)
class Story:
    alarm: Alarm
    rule: Rule
    picture: Picture
    moments: list[Moment]
    acts: list[EpisodeAct]
    followers: list[Episode]
    merged: list[Episode]


def story_of(episode: Episode, now: datetime) -> Story:
    """Of an episode with machine, `follows` and `merged_into` at hand."""
    [alarm] = alarms_of([episode], now)
    return Story(
        alarm,
        rule_of(episode.machine.episode_rule),
        picture_of(episode, now),
        list(_moments(episode)),
        history_of(episode),
        list(episode.followers.live().order_by("opened_at")),
        list(episode.merged.order_by("opened_at")),
    )


def picture_of(episode: Episode, now: datetime) -> Picture:
    end = min(now, episode.ended_at) if episode.ended_at else now
    end = max(end, episode.last_at)  # a sender's clock may be ahead
    start = episode.began_at - max(LEAST_LEAD, (end - episode.began_at) / 4)
    start = max(start, end - LONGEST_SPAN + timedelta(minutes=1))  # a timeline that shows it all is no longer
    marks = [it for it in (episode.opened_at, episode.ended_at) if it is not None and start <= it <= end]
    return Picture(
        start,
        end,
        strip_between(episode.machine, start, end, now),
        [place_in_strip(it, start, end) for it in marks],
        is_cut=start > episode.began_at,
    )


def _moments(episode: Episode) -> Iterator[Moment]:
    newest_first = VibrationDiagnosis.objects.of_machine(episode.machine_id)
    wanted = [
        (
            _("Last normal before it"),
            newest_first.filter(fault_type=FaultType.NORMAL, detected_at__lt=episode.began_at).first(),
        ),
        (
            _("Its opening"),
            newest_first.filter(detected_at=episode.opened_at, model_name__in=episode.model_names).first(),
        ),
        (_("Newest"), newest_first.first()),
    ]
    for name, diagnosis in wanted:
        yield Moment(name, diagnosis, *_windows(episode.machine.name, diagnosis))


def _windows(machine: str, diagnosis: VibrationDiagnosis | None) -> tuple[list[Window], int]:
    if diagnosis is None:
        return [], 0
    instant = diagnosis.detected_at
    recordings = Recording.objects.of_machine(machine).with_place().taken_between(instant, instant)
    covering = [(it, url) for it in recordings if (url := it.url_at(instant))]
    shown = covering[:MOST_SENSORS]
    found = [Window(it, url, _features(it, instant, diagnosis.state)) for it, url in shown]
    return found, len(covering) - len(shown)


def _features(recording: Recording, instant: datetime, state: FaultType) -> Features | None:
    """Of the column of a state; None where the samples have no such column."""
    if state.key not in STATES or recording.started_at is None:
        return None
    time = (instant - recording.started_at).total_seconds()
    return analyse(recording, time - SHOWN_AROUND_S, time + SHOWN_AROUND_S).features[STATES.index(state.key)]
