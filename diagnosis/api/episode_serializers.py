"""Episodes as programs read them, and what is posted to act on one."""

from typing import Any

from rest_framework import serializers

from common.rest.fields import TextField, WholeNumberField
from common.rest.shapes import Shape
from common.rest.strict import RefuseUnknown
from diagnosis.api.serializers import MEANING
from diagnosis.episodes.spans import Ending
from diagnosis.episodes.standing import SHELVED_FOR, Kind, Stage
from diagnosis.models import EpisodeAct
from diagnosis.models.episodes import FOUND, MOST_SHELVED_MIN
from diagnosis.states import MOST_SEVERE, FaultType
from diagnosis.storage.acts import LONGEST_TEXT

USUAL_SHELF_MIN = round(SHELVED_FOR.total_seconds() / 60)
FAULT: dict[str, Any] = {"min_value": 1, "max_value": max(FaultType.values)}
FOUND_MEANING = f"{MEANING}, -1 다른 고장 another fault"
VERDICTS = "right 맞는 알람, false 오경보, unclear 판단 불가 could not tell"
SHELVED_TOO_LONG = f"Shelve it for 1 minute to 7 days ({MOST_SHELVED_MIN:,} minutes)."


def _text(**more: Any) -> TextField:
    return TextField(max_length=LONGEST_TEXT, **more)


def _optional_text(**more: Any) -> TextField:
    return _text(default="", allow_blank=True, **more)


class Seen(RefuseUnknown, serializers.Serializer):
    """An act is about the episode as somebody saw it."""

    revision = WholeNumberField(
        min_value=1,
        max_value=2**31 - 1,
        help_text="읽었을 때의 개정 번호 / `revision` of the episode as it was read. If it has moved on since: 409.",
    )


class Acknowledgement(Seen):
    comment = _optional_text(help_text="의견 / comment.")


class Shelving(Seen):
    reason = _text(help_text="이유 / why.")
    minutes = WholeNumberField(
        default=USUAL_SHELF_MIN,
        min_value=1,
        max_value=MOST_SHELVED_MIN,
        error_messages={"min_value": SHELVED_TOO_LONG, "max_value": SHELVED_TOO_LONG},
        help_text=f"보류 시간(분) / for so many minutes: 7 days at most, {USUAL_SHELF_MIN} if left out.",
    )


class Unshelving(Seen):
    comment = _optional_text(help_text="의견 / comment.")


class Note(RefuseUnknown, serializers.Serializer):
    comment = _text(help_text="메모 / what is to be noted.")


class Closing(Seen):
    verdict = serializers.ChoiceField(
        choices=EpisodeAct.Verdict.values, help_text=f"판정 / whether the alarm was right: {VERDICTS}."
    )
    found = WholeNumberField(
        required=False,
        allow_null=True,
        min_value=min(dict(FOUND)),
        max_value=max(dict(FOUND)),
        help_text="발견된 고장 / the fault that was found, which a right alarm needs; left out if nobody could tell. "
        f"{FOUND_MEANING}.",
    )
    action = _optional_text(help_text="조치 내용 / what was done about it.")
    comment = _optional_text(help_text="의견 / comment.")


class Episode(Shape):
    """An uninterrupted stretch of one fault of a machine, said by one family of models."""

    id = serializers.IntegerField()
    machine_name = serializers.CharField(help_text="설비 이름 / machine.")
    family = serializers.CharField(
        allow_blank=True, help_text="모델 계열 / family of models: their name without version."
    )
    fault_type = serializers.IntegerField(**FAULT, help_text=f"진단 / {MEANING}.")
    severity = serializers.IntegerField(
        min_value=1, max_value=MOST_SEVERE, help_text="심각도 / from 1 to 5, the worst."
    )
    stage = serializers.ChoiceField(
        choices=[it.value for it in Stage],
        help_text="단계 / what it is to people now: unacknowledged 미확인, acknowledged 확인, shelved 보류, cleared "
        "해제됨 and not acknowledged, closed 종결 by a person, or cleared and acknowledged, continued 이어짐 by a "
        "worse one, withdrawn 취소 taken back by late data.",
    )
    message = serializers.CharField(help_text="설명 / all that in a sentence.")
    began_at = serializers.DateTimeField(help_text="시작 시각 / its first diagnosis; plant time with its offset.")
    opened_at = serializers.DateTimeField(help_text="발생 시각 / the diagnosis with which there were enough.")
    last_at = serializers.DateTimeField(help_text="마지막 이상 / its newest diagnosis of a fault.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="끝난 시각 / null while it goes on.")
    ending = serializers.ChoiceField(
        choices=[it.value for it in Ending if it.value],
        allow_blank=True,
        help_text="끝난 이유 / how it ended: cleared 해제, worsened 악화 into one that follows, closed 종결 by a "
        "person; empty while it goes on.",
    )
    count = serializers.IntegerField(min_value=1, help_text="진단 수 / diagnoses of a fault.")
    model_names = serializers.ListField(child=serializers.CharField(allow_blank=True), help_text="AI 모델 / models.")
    least_confidence = serializers.FloatField(allow_null=True, help_text="최소 신뢰도 / least confidence.")
    greatest_confidence = serializers.FloatField(allow_null=True, help_text="최대 신뢰도 / greatest confidence.")
    acknowledged_at = serializers.DateTimeField(allow_null=True, help_text="확인 시각 / when somebody acknowledged it.")
    acknowledged_by = serializers.CharField(allow_blank=True, help_text="확인한 사람 / who did.")
    shelved_until = serializers.DateTimeField(allow_null=True, help_text="보류 끝 / until when, while it is shelved.")
    closed_at = serializers.DateTimeField(allow_null=True, help_text="종결 시각 / when somebody closed it.")
    verdict = serializers.ChoiceField(
        choices=EpisodeAct.Verdict.values, allow_blank=True, help_text=f"판정 / outcome: {VERDICTS}; empty: none yet."
    )
    follows = serializers.IntegerField(allow_null=True, help_text="앞 에피소드 / the milder one that became this.")
    merged_into = serializers.IntegerField(
        allow_null=True, help_text="합쳐진 에피소드 / the one that this is part of since late data came."
    )
    revised_at = serializers.DateTimeField(allow_null=True, help_text="개정 시각 / when late data last moved its ends.")
    revision = serializers.IntegerField(min_value=1, help_text="개정 번호 / to be sent with an act as what was seen.")


class Act(Shape):
    """What a person did about an episode; never changed."""

    id = serializers.IntegerField()
    episode = serializers.IntegerField(source="episode_id", help_text="에피소드 / the one that was on the screen.")
    kind = serializers.ChoiceField(choices=[it.value for it in Kind], help_text="조치 / what was done.")
    at = serializers.DateTimeField(help_text="시각 / when; plant time with its offset.")
    by = serializers.CharField(source="by_name", help_text="작업자 / who; with the name of the token of a program.")
    comment = serializers.CharField(allow_blank=True, help_text="의견 또는 이유 / comment, note or reason.")
    shelved_until = serializers.DateTimeField(allow_null=True, help_text="보류 끝 / of a shelving: until when.")
    verdict = serializers.ChoiceField(
        choices=EpisodeAct.Verdict.values, allow_blank=True, help_text=f"판정 / of a closing: {VERDICTS}."
    )
    found = serializers.IntegerField(
        allow_null=True,
        min_value=min(dict(FOUND)),
        max_value=max(dict(FOUND)),
        help_text=f"발견된 고장 / of a closing: {FOUND_MEANING}.",
    )
    action = serializers.CharField(allow_blank=True, help_text="조치 내용 / of a closing: what was done.")
    revision = serializers.IntegerField(min_value=1, help_text="개정 번호 / of the episode after it.")


class EpisodeDetail(Episode):
    """An episode with its story."""

    followers = serializers.ListField(
        child=serializers.IntegerField(), help_text="뒤 에피소드 / the worse ones that it became."
    )
    merged = serializers.ListField(
        child=serializers.IntegerField(), help_text="합친 에피소드 / others that late data made part of it."
    )
    acts = Act(many=True, help_text="조치 이력 / what people did, in that order.")
