"""What the OpenAPI schema says about episodes: descriptions, and examples that a test carries out."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from common.rest.lists import LIST_PARAMETERS
from diagnosis.api import episode_serializers as shapes
from diagnosis.api.serializers import MEANING
from diagnosis.history.exporting import EPISODE_COLUMNS

TAG = "에피소드 / episodes"
_ID = OpenApiParameter("id", int, OpenApiParameter.PATH, description="에피소드 번호 / number of the episode.")
_BY = "kim / control-room"
_AT = "2026-11-20T09:40:00+09:00"

EPISODE: dict[str, Any] = {
    "id": 1,
    "machine_name": "g1",
    "family": "cnn",
    "fault_type": 2,
    "severity": 3,
    "stage": "unacknowledged",
    "message": "g1: looseness since 2026-11-20T09:30:00+09:00, 2 diagnoses by cnn-v3; nobody has acknowledged it.",
    "began_at": "2026-11-20T09:30:00+09:00",
    "opened_at": "2026-11-20T09:31:00+09:00",
    "last_at": "2026-11-20T09:31:00+09:00",
    "ended_at": None,
    "ending": "",
    "count": 2,
    "model_names": ["cnn-v3"],
    "least_confidence": 0.93,
    "greatest_confidence": 0.93,
    "acknowledged_at": None,
    "acknowledged_by": "",
    "shelved_until": None,
    "closed_at": None,
    "verdict": "",
    "follows": None,
    "merged_into": None,
    "revised_at": None,
    "revision": 1,
}
CSV = (
    ",".join(EPISODE_COLUMNS) + "\r\n1,g1,cnn,2,looseness,3,unacknowledged,2026-11-20T09:30:00.000000+09:00,"
    "2026-11-20T09:31:00.000000+09:00,2026-11-20T09:31:00.000000+09:00,,,2,cnn-v3,0.93,0.93,,,,,,,,,1\r\n"
)


def _act(kind: str, revision: int = 2, **more: Any) -> dict:
    plain = {"comment": "", "shelved_until": None, "verdict": "", "found": None, "action": ""}
    return {"id": 1, "episode": 1, "kind": kind, "at": _AT, "by": _BY} | plain | {"revision": revision} | more


def _in_full(stage: str, became: str, *acts: dict, revision: int = 2, **more: Any) -> dict:
    message = EPISODE["message"].partition(";")[0]
    changed = {"stage": stage, "message": f"{message}; {became}.", "revision": revision}
    return EPISODE | changed | more | {"followers": [], "merged": [], "acts": list(acts)}


_ACKNOWLEDGED: dict[str, Any] = {"acknowledged_at": _AT, "acknowledged_by": _BY}
_MOVED = {
    "type": "about:blank",
    "title": "Conflict",
    "status": 409,
    "detail": f"Nothing was stored: the episode is acknowledged, revision 2. {_BY}: acknowledge at {_AT}",
    "errors": [],
    "revision": 2,
    "stage": "acknowledged",
    "acts": [_act("acknowledge")],
}


def _answered(value: Any, **more: Any) -> OpenApiExample:
    return OpenApiExample("에피소드 / an episode", value, response_only=True, status_codes=["200"], **more)


EPISODES = extend_schema_view(
    get=extend_schema(
        tags=[TAG],
        summary="에피소드 목록 / list the episodes",
        operation_id="get_episodes",
        description="알람 기록, 최신순. `format=csv`는 전체를 CSV로. / The log of alarms, the last opened first, "
        "filtered. `format=csv` sends every row that matches the filters as CSV, without pages or limit. Late "
        "diagnoses may move the ends of an episode, make two into one or take one back: its `id` stays, `revision` "
        f"grows, `revised_at` says when. {MEANING}.",
        parameters=LIST_PARAMETERS,
        responses={
            (200, "application/json"): shapes.Episode(many=True),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
        },
        examples=[
            _answered(EPISODE, media_type="application/json"),
            OpenApiExample("CSV", CSV, response_only=True, media_type="text/csv"),
        ],
    )
)
ONE = extend_schema(
    tags=[TAG],
    summary="에피소드 조회 / read an episode",
    description="조치 이력과 함께. / One episode, with what people did about it, and the episodes before and after it.",
    parameters=[_ID],
    responses=shapes.EpisodeDetail,
    examples=[_answered(_in_full("unacknowledged", "nobody has acknowledged it", revision=1))],
)


def _act_schema(summary: str, description: str, request: type, asked: dict, answer: dict) -> Any:
    return extend_schema(
        tags=[TAG],
        summary=summary,
        description=f"{description} The answer is the episode as it is then. If it has moved on since the `revision` "
        "that was seen, or this can't be done as it stands now, nothing is stored: 409 with what it is now, and who "
        "did what.",
        parameters=[_ID],
        request=request,
        responses={
            200: shapes.EpisodeDetail,
            (409, "application/problem+json"): OpenApiResponse(
                {"$ref": "#/components/schemas/Problem"},
                description="그 사이 바뀜 / it has moved on; nothing was stored. `acts` has what was done since, "
                "`revision` what is to be sent after reading it again",
                examples=[OpenApiExample("다른 사람이 먼저 확인함 / somebody was faster", _MOVED)],
            ),
        },
        examples=[OpenApiExample("보낼 내용 / to send", asked, request_only=True), _answered(answer)],
    )


ACKNOWLEDGE = _act_schema(
    "에피소드 확인 / acknowledge an episode",
    "운전자. 누군가 맡았음을 알립니다. / For operators: somebody looks after it. Of two at once one is stored, and the "
    "other is told who was first.",
    shapes.Acknowledgement,
    {"revision": 1, "comment": "on my way"},
    _in_full(
        "acknowledged",
        f"acknowledged by {_BY}",
        _act("acknowledge", comment="on my way"),
        **_ACKNOWLEDGED,
    ),
)
SHELVE = _act_schema(
    "에피소드 보류 / shelve an episode",
    "운전자. 정한 시간이 지나면 다시 미확인이 됩니다. / For operators: put away for a time, with a reason; it comes "
    "back by itself, unacknowledged.",
    shapes.Shelving,
    {"revision": 1, "reason": "bearing ordered, comes on Monday", "minutes": 480},
    _in_full(
        "shelved",
        "shelved",
        _act("shelve", comment="bearing ordered, comes on Monday", shelved_until="2026-11-20T17:40:00+09:00"),
        shelved_until="2026-11-20T17:40:00+09:00",
    ),
)
UNSHELVE = _act_schema(
    "에피소드 보류 해제 / take an episode from the shelf",
    "운전자. 해제한 사람이 확인한 것이 됩니다. / For operators: before its time; whoever does so has acknowledged it.",
    shapes.Unshelving,
    {"revision": 2, "comment": "bearing came early"},
    _in_full(
        "acknowledged",
        f"acknowledged by {_BY}",
        _act("shelve", comment="bearing ordered", shelved_until="2026-11-20T17:40:00+09:00"),
        _act("unshelve", 3, comment="bearing came early"),
        revision=3,
        **_ACKNOWLEDGED,
    ),
)
NOTE = _act_schema(
    "메모 / note something",
    "운전자. 언제든 쓸 수 있습니다. / For operators: possible at any time, whatever was seen.",
    shapes.Note,
    {"comment": "loud since the shift began"},
    _in_full(
        "unacknowledged",
        "nobody has acknowledged it",
        _act("note", 1, comment="loud since the shift began"),
        revision=1,
    ),
)
CLOSE = _act_schema(
    "에피소드 종결 / close an episode",
    "운전자. 판정과 함께 끝냅니다. 그 뒤의 이상은 새 에피소드입니다. / For operators: with its outcome. A right "
    "alarm needs the fault that was `found`; a false one, and one of which nobody could tell, have none. What is "
    "faulty later is a new episode.",
    shapes.Closing,
    {"revision": 1, "verdict": "right", "found": 2, "action": "coupling bolts tightened"},
    _in_full(
        "closed",
        "closed as right",
        _act("close", verdict="right", found=2, action="coupling bolts tightened"),
        message="g1: looseness from 2026-11-20T09:30:00+09:00 to 2026-11-20T09:31:00+09:00, 2 diagnoses by cnn-v3; "
        "closed as right.",
        ended_at=_AT,
        ending="closed",
        closed_at=_AT,
        verdict="right",
        revision=3,
    ),
)
