"""A field is told once, in its model: whatever shows or keeps fields has a new one too, or a test here names it.

Where a place leaves a field out on purpose, the reason stands here or in the place itself.
"""

from collections.abc import Callable

import pytest
from auditlog.registry import auditlog
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone
from django.utils.translation import override

from common.database.columns import columns_of
from diagnosis.models import Episode, EpisodeAct, VibrationDiagnosis
from diagnosis.pages.about import ELSEWHERE, about
from himmes.accounts.models import ApiToken
from himmes.audit.trail import NOT_NOTED
from machines.admin import BearingInline, MachineAdmin, SensorInline
from machines.models import Bearing, Machine, PostConflict, RegisteredBy, Sensor
from machines.serializers import MachineSerializer, SensorSerializer
from vibration.admin import MachineWithRecordingsAdmin, with_figures
from vibration.api.serializers import RecordingSerializer
from vibration.models import Capture, CaptureMapping, ImportRun, Recording

pytestmark = pytest.mark.django_db


Shown = Callable[[HttpRequest], set[str]]  # the names of the fields that a place shows


def in_form(model: type[Model]) -> Shown:
    """What the form in the administration shows."""

    def fields(request) -> set[str]:
        # A new token, as nothing of one is changed; of all others, one that is there.
        of = admin.site._registry[model]
        return set(of.get_fields(request, None if model is ApiToken else model()))

    return fields


def in_api(serializer) -> Shown:
    return lambda request: {field.source.split(".")[0] for field in serializer().fields.values()}


def in_trail(model: type[Model]) -> Shown:
    return lambda request: set(auditlog.get_model_fields(model)["include_fields"])


def in_inline(inline: type[admin.TabularInline]) -> Shown:
    return lambda request: set(inline(Machine, admin.site).get_fields(request))


def on_page(request) -> set[str]:
    """The fields whose names stand on the page of a machine of which everything is known."""
    machine = Machine(name="g1", registered_by=RegisteredBy.ADMIN, installed_at=timezone.now().date())
    for field in Machine._meta.concrete_fields:
        if getattr(machine, field.name) in (None, ""):
            setattr(machine, field.name, 1 if field.name.endswith(("rpm", "min")) else "known")
    with override("en"):
        labels = {str(label) for label, _value in about(machine)}
        shown = {field.name for field in Machine._meta.concrete_fields if str(field.verbose_name) in labels}
    return shown | ({"expected_interval_min"} if "stale after" in labels else set())


_NOTED = "NOT_NOTED in himmes/audit/trail.py, if it must not be noted"
HOW_STORED = {"rollup_exponent", "tail_from", "tail_count"}  # how wide a bucket is, and which wait: nobody's business
# What shows the fields of a model, what it leaves out, and where a field that is missing belongs
PLACES = {
    "form of machines": (Machine, in_form(Machine), {"id"}, "MachineAdmin: `readonly_fields`, if it is not edited"),
    "API of machines": (Machine, in_api(MachineSerializer), set(), "MachineSerializer"),
    "audit trail of machines": (
        Machine,
        in_trail(Machine),
        set(NOT_NOTED[Machine]),
        _NOTED,
    ),
    "page of a machine": (Machine, on_page, ELSEWHERE, "diagnosis/pages/about.py"),
    "form of sensors": (Sensor, in_inline(SensorInline), {"id", "machine"}, "SensorInline"),
    "API of sensors": (Sensor, in_api(SensorSerializer), set(), "SensorSerializer"),
    "audit trail of sensors": (Sensor, in_trail(Sensor), set(NOT_NOTED[Sensor]), _NOTED),
    "form of bearings": (Bearing, in_inline(BearingInline), {"id", "machine"}, "BearingInline"),
    "audit trail of bearings": (Bearing, in_trail(Bearing), set(NOT_NOTED[Bearing]), _NOTED),
    "form of recordings": (Recording, in_form(Recording), {"id", *HOW_STORED}, "RecordingAdmin.readonly_fields"),
    "API of recordings": (Recording, in_api(RecordingSerializer), HOW_STORED, "RecordingSerializer"),
    # Of a token, a form asks what a person decides; the rest is made.
    "form of tokens": (
        ApiToken,
        in_form(ApiToken),
        {"id", "digest", "token_key", "created", "last_used"},
        "TokenForm.Meta.fields",
    ),
    "audit trail of tokens": (ApiToken, in_trail(ApiToken), set(NOT_NOTED[ApiToken]), _NOTED),
    "form of imports": (ImportRun, in_form(ImportRun), {"id", "started_at"}, "ImportRunAdmin"),
    # Of a capture, how its samples are stored is nobody's business.
    "form of captures": (Capture, in_form(Capture), {"id", "scale", "codec", "data"}, "CaptureAdmin.fields"),
    "form of mappings": (CaptureMapping, in_form(CaptureMapping), {"id"}, "CaptureMappingAdmin.fields"),
    "audit trail of mappings": (
        CaptureMapping,
        in_trail(CaptureMapping),
        set(NOT_NOTED[CaptureMapping]),
        _NOTED,
    ),
    "form of diagnoses": (
        VibrationDiagnosis,
        in_form(VibrationDiagnosis),
        {"id", "created_at"},
        "diagnosis/admin.py",
    ),
    # What became of it by acts has no name of its own: its page says it.
    "form of episodes": (
        Episode,
        in_form(Episode),
        {
            *("id", "ending", "least_confidence", "greatest_confidence", "follows", "standing", "acknowledged_at"),
            *("acknowledged_by", "shelved_until", "closed_at", "verdict", "attention", "revision", "revised_at"),
            *("live", "merged_into", "opened_by"),
        },
        "EpisodeAdmin.fields",
    ),
    "form of acts": (EpisodeAct, in_form(EpisodeAct), {"id", "number", "revision", "covers_to"}, "EpisodeActAdmin"),
    "form of conflicts": (PostConflict, in_form(PostConflict), {"id", "machine"}, "PostConflictAdmin.exclude"),
}


def missing(fields: list[str], place: str, request) -> list[str]:
    """The fields that are not shown in a place, and not left out there on purpose; each with where it belongs."""
    _model, shown, left_out, where = PLACES[place]
    return [f"{name}: {where}" for name in fields if name not in shown(request) | left_out]


@pytest.fixture
def by_administrator(admin_user):
    request = RequestFactory().get("/admin/")
    request.user = admin_user
    return request


@pytest.mark.parametrize("place", PLACES)
def test_each_field_is_shown_wherever_fields_are_shown(place, by_administrator):
    model, _shown, left_out, _where = PLACES[place]
    assert missing(columns_of(model), place, by_administrator) == []
    assert left_out <= set(columns_of(model))  # nothing is left out that is no more


@pytest.mark.parametrize("place", PLACES)
def test_a_field_that_is_nowhere_is_missing_by_name(place, by_administrator):
    model, _shown, _left_out, where = PLACES[place]
    assert missing([*columns_of(model), "told_nowhere"], place, by_administrator) == [f"told_nowhere: {where}"]


def test_the_list_of_machines_has_every_column_that_the_machines_own_has():
    figures = ["recording_count", "latest_sample", "latest_write"]
    for own in (MachineAdmin.list_display, [*MachineAdmin.list_display, "told_nowhere"]):
        shown = with_figures(own)
        assert [name for name in shown if name not in figures] == own
        assert set(figures) <= set(shown)
    assert MachineWithRecordingsAdmin.list_display == with_figures(MachineAdmin.list_display)


def test_whatever_the_trail_notes_of_a_model_is_each_field_but_those_it_says():
    for model, left_out in NOT_NOTED.items():
        assert set(auditlog.get_model_fields(model)["include_fields"]) == set(columns_of(model)) - set(left_out)
