"""What the OpenAPI schema says beyond views and serializers."""

from drf_spectacular.openapi import AutoSchema

from diagnosis.states import FaultType
from himmes.api.errors import MEDIA_TYPE, problem

ALWAYS = {
    401: "로그인 또는 토큰 필요 / neither a login nor a valid token",
    403: "권한 없음 / the role does not allow it",
    406: "지원하지 않는 응답 형식 / none of the accepted media types is served",
    503: "데이터베이스가 응답하지 않거나 바쁨 / the database is away or busy; `detail` says whether anything was stored. "
    "Send it again after Retry-After seconds",
    429: "요청이 너무 많음 / too many requests; Retry-After says for how many seconds to wait",
}
WRONG_QUERY = {400: "잘못된 요청 / a parameter or field is wrong; `errors` names it"}
NOT_FOUND = {404: "없음 / there is no such thing"}
CONFLICT = {409: "충돌 / contradicts what is stored; nothing was changed"}
CHANGED = {412: "그 사이 바뀜 / changed since the version that If-Match names; nothing was changed now"}
WITH_BODY = WRONG_QUERY | {
    411: "길이 필요 / a chunked body, under `runserver`; gunicorn reads those",
    413: "너무 큼 / more rows or bytes than one request may have",
    415: "지원하지 않는 본문 형식 / a body of another media type or encoding",
}
EXAMPLES = {
    400: problem(
        400,
        "1 of 2 rows is invalid; nothing was stored. Rows count from 0.",
        [{"row": 1, "field": "fault_type", "message": f"Ensure this value is less than or equal to {max(FaultType)}."}],
    ),
    401: problem(401, "Authentication credentials were not provided."),
    403: problem(403, "Your role does not allow this."),
    413: problem(413, "20,000 rows in one request; at most 10,000 are allowed. Send parts."),
    429: problem(429, "Request was throttled. Expected available in 1 second."),
    503: problem(503, "The database does not answer. Nothing was stored. Send it again."),
}
PROBLEM = {
    "type": "object",
    "description": "오류 / an error, as RFC 9457 has it.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "What the status means."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What is wrong, and what to do."},
        "errors": {
            "type": "array",
            "description": "Each wrong field or parameter; of lists, of the first hundred bad rows.",
            "items": {
                "type": "object",
                "properties": {
                    "row": {"type": "integer", "description": "Number of the row in a posted list, from 0."},
                    "field": {"type": "string", "description": "Empty where no single field is wrong."},
                    "message": {"type": "string"},
                },
                "required": ["field", "message"],
                "additionalProperties": False,
            },
        },
        "request_id": {"type": "string", "description": "Of a 5xx: what the server's log calls this request."},
        **{
            name: {"type": "integer", "description": "Of captures of which one is in conflict: so many of them."}
            for name in ("received", "inserted", "identical", "conflicting")
        },
        "conflicts": {
            "type": "array",
            "description": "Of captures of which one is in conflict: the numbers of those, from 0.",
            "items": {"type": "integer"},
        },
        "captures": {
            "type": "array",
            "description": "Of captures of which one is in conflict: what became of each; new ones are stored.",
            "items": {"$ref": "#/components/schemas/PostedOne"},
        },
        "notes": {"type": "array", "description": "Texts for people, beside that.", "items": {"type": "string"}},
        "report": {"$ref": "#/components/schemas/ImportReport", "description": "Of an upload that ended early."},
        "revision": {"type": "integer", "description": "Of the episode that has moved on, as it is now."},
        "stage": {"type": "string", "description": "Of the episode that has moved on, as it is now."},
        "acts": {
            "type": "array",
            "description": "Of the episode that has moved on: what people did since it was seen.",
            "items": {"$ref": "#/components/schemas/Act"},
        },
    },
    "required": ["type", "title", "status", "detail", "errors"],
    "additionalProperties": False,
}


class Operation(AutoSchema):
    """Nothing is guessed from docstrings, which speak to the readers of the code."""

    def get_description(self) -> str:
        return ""

    def get_operation_id(self) -> str:
        """As in `list_vibration_data`, `post_vibration_data_bulk`: names for the functions of generated clients."""
        verb = "list" if self.method == "GET" and self._is_list_view() else self.method.lower()
        name = "_".join(self._tokenize_path()).replace("-", "_")
        return f"{verb}_{name}" + ("_by_id" if "{" in self.path else "")


def without_trailing_slash(endpoints: list[tuple]) -> list[tuple]:
    """Paths as programs write them; the slash at their end is optional."""
    return [(path.rstrip("/"), regex, method, callback) for path, regex, method, callback in endpoints]


def with_errors(result: dict, generator, request, public) -> dict:
    """Add to each operation the errors that it can answer with."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request"):
            schema["additionalProperties"] = False  # what is not known is refused
    upload = result["components"]["schemas"]["CsvUploadRequest"]
    for name, field in upload["properties"].items():
        if name not in upload["required"] and "default" not in field:
            field["example"] = ""  # else Swagger UI sends "string" for what nobody filled in
    for operations in result["paths"].values():
        for method, operation in operations.items():
            errors = ALWAYS | WRONG_QUERY
            if method in ("post", "put", "patch"):
                errors |= WITH_BODY | CONFLICT
            if method in ("put", "patch"):
                errors |= CHANGED
            if method == "delete":
                errors |= CONFLICT
            errors |= NOT_FOUND
            for status, description in errors.items():
                content = {"schema": {"$ref": "#/components/schemas/Problem"}}
                if status in EXAMPLES:
                    content["example"] = EXAMPLES[status]
                operation["responses"].setdefault(
                    str(status), {"description": description, "content": {MEDIA_TYPE: content}}
                )
    return result
