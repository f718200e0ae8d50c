"""What the OpenAPI schema says about diagnoses: descriptions, and examples that a test carries out."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view

from common.rest.lists import LIST_PARAMETERS
from diagnosis.api import serializers
from machines.api import UNKNOWN_PUMP
from vibration.api.serializers import PostedRows
from vibration.numbers.classifying import Posted, RowClass

TAG = "진단 / diagnoses"

ROW = {
    "machine_name": "g1",
    "detected_at": "2026-11-20T09:30:00",
    "fault_type": 2,
    "model_name": "cnn-v3",
    "confidence": 0.93,
}
DIAGNOSIS = {"id": 1} | ROW | {"detected_at": "2026-11-20T09:30:00+09:00"}
CSV = (
    "machine_name,detected_at,fault_type,model_name,confidence\r\ng1,2026-11-20T09:30:00.000000+09:00,2,cnn-v3,0.93\r\n"
)


def _answer(name: str, value) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=["200", "201"])


DIAGNOSES = extend_schema_view(
    get=extend_schema(
        tags=[TAG],
        summary="진단 목록 / list diagnoses",
        operation_id="get_vibration_diagnosis",
        description="최신순. `format=csv`는 전체를 CSV로. / Newest first, filtered. `format=csv` sends every row that "
        f"matches the filters as CSV, without pages or limit. {serializers.MEANING}.",
        parameters=LIST_PARAMETERS,
        responses={
            (200, "application/json"): serializers.Diagnosis(many=True),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR),
        },
        examples=[
            OpenApiExample("한 행 / one row", DIAGNOSIS, response_only=True, media_type="application/json"),
            OpenApiExample("CSV", CSV, response_only=True, media_type="text/csv"),
        ],
    ),
    post=extend_schema(
        tags=[TAG],
        summary="진단 저장 / store one diagnosis",
        description="AI 프로그램. 201 새로 저장, 200 이미 같은 결과, 409 다른 결과가 있음. / For AI programs. 201: stored; 200: it "
        "was stored before; 409: another state or confidence of this machine, instant and model is stored, which stays. "
        f"`notes` is there when there is something to tell, as of a time ahead of the server's clock. {serializers.MEANING}.",
        request=serializers.DiagnosisRow,
        responses={200: serializers.StoredDiagnosis, 201: serializers.StoredDiagnosis},
        examples=[
            OpenApiExample("지지 불량 / looseness", ROW, request_only=True),
            _answer("저장됨 / stored", DIAGNOSIS),
        ],
    ),
)
DIAGNOSIS_BULK = extend_schema(
    tags=[TAG],
    summary="여러 진단 저장 / store many diagnoses",
    description="모두 저장하거나 하나도 저장하지 않습니다. 다시 보내도 중복되지 않습니다. / For AI programs. A list of rows, in "
    "one transaction: when a row is invalid nothing is stored, and the 400 names row and field. Posted again, rows change "
    "nothing and count as identical. A row whose machine, instant and model are stored with another state or confidence "
    "is left out and its number listed in `conflicts`; the machine's page shows that it came. `notes` says what is odd "
    f"about the times. May be gzip-compressed. {serializers.MEANING}.",
    request=serializers.DiagnosisRow(many=True),
    responses=PostedRows,
    examples=[
        OpenApiExample("한 행의 목록 / a list of one row", ROW, request_only=True),
        _answer("모두 저장됨 / all stored", PostedRows.of(Posted([RowClass.NEW]))),
    ],
)
GROUPED_RECENT = extend_schema(
    tags=[TAG],
    summary="설비별 최근 N건 / newest N of each machine",
    description=f"설비순, 최신순의 한 목록. / One flat list by machine, newest first. {serializers.MEANING}.",
    parameters=[serializers.GroupedRecentQuery],
    responses=serializers.Diagnosis(many=True),
    examples=[_answer("지지 불량 / looseness", DIAGNOSIS)],
)
LATEST = extend_schema(
    tags=[TAG],
    summary="설비별 최신 진단 / latest diagnosis of each machine",
    description="진단이 있는 설비마다 한 행. / One row for each machine that has a diagnosis: the newest one, with the "
    f"machine's master data. {serializers.MEANING}.",
    responses=serializers.LatestDiagnosis(many=True),
    examples=[
        _answer(
            "지지 불량 / looseness",
            DIAGNOSIS | {"machine": UNKNOWN_PUMP | {"id": 1}},
        )
    ],
)
TIMELINE = extend_schema(
    tags=[TAG],
    summary="설비별 상태 이력 / history of states of each machine",
    description="같은 상태가 이어진 구간. 예상 진단 간격보다 오래 진단이 없으면 구간이 끝납니다. / Uninterrupted runs of one state. A "
    "diagnosis holds until the next one, but no longer than the machine's expected interval: after that nobody knows. Runs "
    "thinner than a pixel of `points` are told as the worst of them. The answer has an ETag; asked again with "
    f"If-None-Match, it is 304 while nothing has changed. {serializers.MEANING}.",
    parameters=[serializers.TimelineQuery],
    responses=serializers.Timeline,
    examples=[
        _answer(
            "지지 불량 / looseness",
            {
                "start": 1795100400000.0,
                "end": 1795186800000.0,
                "now": 1795186800000.0,
                "machines": [
                    {
                        "machine_name": "g1",
                        "fault_type": [2],
                        "start": [1795134600000.0],
                        "end": [1795138200000.0],
                        "count": [1],
                        "runs": [1],
                        "first_model": [ROW["model_name"]],
                        "last_model": [ROW["model_name"]],
                        "least_confidence": [ROW["confidence"]],
                        "greatest_confidence": [ROW["confidence"]],
                    }
                ],
            },
        )
    ],
)
