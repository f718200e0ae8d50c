"""What programs ask of waveform, spectrum and cursors of a capture, and of cursors on a recording; and the answers."""

from rest_framework import serializers

from common.rest.shapes import Column, Shape
from vibration.api.capture_serializers import SHAFT_SOURCES, UNITS, OfCapture, PartQuery
from vibration.api.window_serializers import (
    OfRecording,
    RangeQuery,
    RecordingQuery,
    SpectrumOfSections,
    points_of,
)
from vibration.models.captures import MAX_RATE_HZ
from vibration.numbers.spectrum import NOT_EVEN, TOO_FEW
from vibration.numbers.states import STATES
from vibration.numbers.windows import WINDOWS
from vibration.signals.reasons import Reason
from vibration.signals.spectra import RATE_TOO_LOW, RESOLUTION_HZ
from vibration.spectra.cursors import MOST_LINES
from vibration.spectra.shown import MEASURED, QUANTITIES, VELOCITY
from vibration.windows.analysis import PRUNED

KINDS = HARMONICS, SIDEBANDS = ["harmonics", "sidebands"]
MIN_RESOLUTION_HZ, MAX_RESOLUTION_HZ = 0.01, 1_000.0
MIN_HZ = 0.001  # of a cursor
REASONS = [TOO_FEW, RATE_TOO_LOW, Reason.UNIT.value, PRUNED]
CURSOR_REASONS = [*REASONS, NOT_EVEN]
BEARING_REASONS = GEOMETRY_MISSING, GEOMETRY_WRONG, SPEED_UNKNOWN = ["no_geometry", "wrong_geometry", "speed"]
WHY_NONE = "스펙트럼이 없는 이유 / why there is none; null: there is one."


class LookQuery(RangeQuery, PartQuery):
    points = points_of("at most so many amplitudes")
    envelope = serializers.BooleanField(
        default=False, help_text="포락선 / the spectrum of the envelope of the high band, not of the samples."
    )
    resolution = serializers.FloatField(
        required=False,
        min_value=MIN_RESOLUTION_HZ,
        max_value=MAX_RESOLUTION_HZ,
        help_text=f"분해능(Hz) / from bin to bin; left out: {RESOLUTION_HZ:g} Hz, and of the envelope as fine as the "
        "window is long. Where the window is too short for it, `is_short` is true, and `resolution` says which it is.",
    )
    window = serializers.ChoiceField(
        list(WINDOWS),
        default="hann",
        help_text="창 함수 / Hann's tells close lines apart; the flat top shows each in its full height.",
    )
    quantity = serializers.ChoiceField(
        QUANTITIES,
        default=MEASURED,
        help_text="물리량 / as it was measured, or the velocity in mm/s: of an acceleration, amplitudes / (2 pi f).",
    )

    def validate(self, attrs):
        query = super().validate(attrs)
        if query["quantity"] == VELOCITY and query["envelope"]:
            raise serializers.ValidationError(
                {"quantity": "An envelope has no velocity: leave out quantity, or envelope."}
            )
        return query


class CursorQuery(serializers.Serializer):
    """Which cursors: the multiples of `hz`, or the sidebands of it with `spacing` between."""

    kind = serializers.ChoiceField(KINDS, help_text="종류 / multiples of `hz`, or sidebands of it.")
    hz = serializers.FloatField(
        min_value=MIN_HZ,
        max_value=MAX_RATE_HZ,
        help_text="주파수(Hz) / about where the first line, or the carrier, is.",
    )
    spacing = serializers.FloatField(
        required=False,
        min_value=MIN_HZ,
        max_value=MAX_RATE_HZ,
        help_text="간격(Hz) / from sideband to sideband; needed with `sidebands`, and only then.",
    )
    count = serializers.IntegerField(
        default=10,
        min_value=1,
        max_value=MOST_LINES,
        help_text="개수 / of the multiples, or of sidebands on each side.",
    )

    def validate(self, attrs):
        query = super().validate(attrs)
        if query["kind"] == SIDEBANDS and "spacing" not in query:
            raise serializers.ValidationError({"spacing": "Needed with kind=sidebands: give the Hz from line to line."})
        if query["kind"] == HARMONICS and "spacing" in query:
            raise serializers.ValidationError({"spacing": "Only with kind=sidebands: leave it out."})
        return query


class CaptureSpectrumQuery(LookQuery):
    pass


class CaptureCursorsQuery(CursorQuery, LookQuery):
    pass


class RecordingCursorsQuery(CursorQuery, RangeQuery, RecordingQuery):
    state = serializers.ChoiceField(STATES, help_text="상태 / of which the spectrum is.")
    points = points_of("at most so many amplitudes are drawn of the chart that `hz` is read from")


class CapturePeak(Shape):
    frequency = serializers.FloatField(help_text="주파수(Hz) / the mean of the bins that belong to the peak.")
    amplitude = serializers.FloatField(help_text="진폭 / of the sine that has as much energy as these bins together.")
    order = serializers.FloatField(allow_null=True, help_text="차수 / times `shaft_hz`; null where that is not known.")


class CaptureSpectrum(SpectrumOfSections):  # of a `spectrum`, and of what is `shown` of it
    """A single-sided amplitude spectrum: a sine of amplitude A stands in it as A."""

    resolution = serializers.FloatField(
        source="spectrum.resolution",
        help_text="분해능 / Hz from bin to bin, 1 / `section_length`: what was asked for within 1 %, or coarser when "
        "`is_short`.",
    )
    quantity = serializers.ChoiceField(QUANTITIES, help_text="물리량 / of the amplitudes.")
    unit = serializers.ChoiceField(UNITS, source="shown.unit", allow_blank=True, help_text="단위 / of the amplitudes.")
    left_out_below = serializers.FloatField(
        source="shown.left_out_below_hz",
        help_text="제외한 저주파수(Hz) / bins below are left out, as a velocity that is made of an acceleration is "
        "noise there. 0: none.",
    )
    amplitude = Column(child=serializers.FloatField(), help_text="진폭 / greatest of each group, in the unit.")
    peaks = CapturePeak(
        many=True, help_text="피크 / the five highest from `low` to `high` that stand out, highest first."
    )


class SpeedChange(Shape):  # of a SpeedOver
    from_hz = serializers.FloatField(help_text="전반(Hz) / in the first half of the window.")
    to_hz = serializers.FloatField(help_text="후반(Hz) / in the second half.")


class Speed(Shape):
    hz = serializers.FloatField(allow_null=True, help_text="회전 주파수(Hz) / of the capture, as `shaft_hz`.")
    source: serializers.Field = serializers.ChoiceField(  # a value of ours, not where a field takes its own from
        SHAFT_SOURCES, allow_null=True, help_text="회전 주파수의 근거 / how it is known."
    )
    is_steady = serializers.BooleanField(
        allow_null=True,
        help_text="일정함 / whether the shaft's line stays within the resolution of half of the window; null: it can't "
        "be told, as the line does not stand out in both halves.",
    )
    changes = SpeedChange(
        allow_null=True,
        help_text="회전수 변화 / from where to where it moves: lines are smeared, those of high orders more. Null: it "
        "is steady, or that can't be told.",
    )


class CaptureSpectrumAnswer(OfCapture):
    envelope = serializers.BooleanField(help_text="포락선 / whether it is that of the envelope.")
    shaft_hz = serializers.FloatField(allow_null=True, help_text="회전 주파수(Hz) / that orders are multiples of.")
    shaft_source = serializers.ChoiceField(
        SHAFT_SOURCES, allow_null=True, help_text="회전 주파수의 근거 / how it is known."
    )
    speed = Speed(help_text="회전수 / and whether it changes within the window.")
    spectrum_reason = serializers.ChoiceField(REASONS, allow_null=True, help_text=WHY_NONE)
    spectrum = CaptureSpectrum(allow_null=True)


class CursorLine(Shape):  # of a Line
    multiple = serializers.IntegerField(help_text="배수 / of the base, or of the spacing; below 0: the lower sideband.")
    hz = serializers.FloatField(help_text="주파수(Hz) / the true multiple.")
    amplitude = serializers.FloatField(
        help_text="진폭 / of the sine whose line is there; where none stands out, of the greater bin beside it."
    )
    stands_out = serializers.BooleanField(help_text="두드러짐 / whether a line there stands out of the noise around.")


class CursorsShape(Shape):  # of `cursors`, and of the `spectrum` that they are on
    kind = serializers.ChoiceField(KINDS, help_text="종류.")
    spectrum_reason = serializers.ChoiceField(CURSOR_REASONS, allow_null=True, help_text=WHY_NONE)
    base_hz = serializers.FloatField(
        allow_null=True,
        help_text="기준 주파수(Hz) / `hz`, made better by the lines that stand out; null without a spectrum.",
    )
    spacing_hz = serializers.FloatField(allow_null=True, help_text="간격(Hz) / from line to line, likewise.")
    resolution = serializers.FloatField(allow_null=True, help_text="분해능(Hz) / of the spectrum.")
    lines = CursorLine(many=True, help_text="커서 / rising by frequency; those that the spectrum does not reach: none.")


class CaptureCursorsAnswer(CursorsShape, OfCapture):
    quantity = serializers.ChoiceField(QUANTITIES, help_text="물리량 / of the amplitudes.")
    amplitude_unit = serializers.ChoiceField(UNITS, allow_blank=True, help_text="단위 / of the amplitudes.")


class RecordingCursorsAnswer(CursorsShape, OfRecording):
    state = serializers.ChoiceField(STATES)


class FaultNumbers(Shape):
    bpfo = serializers.FloatField(help_text="외륜 / rolling elements pass a place of the outer ring.")
    bpfi = serializers.FloatField(help_text="내륜 / they pass a place of the inner ring.")
    bsf = serializers.FloatField(help_text="전동체 / a rolling element spins; a place of it strikes at twice that.")
    ftf = serializers.FloatField(help_text="케이지 / the cage turns.")


class BearingFaults(Shape):
    name = serializers.CharField(help_text="베어링 / bearing.")
    sensor_no = serializers.CharField(allow_null=True, help_text="센서 / the one nearest to it; null: not said.")
    reason = serializers.ChoiceField(
        BEARING_REASONS,
        allow_null=True,
        help_text="이유 / why there are no frequencies: the geometry is not stored, or that of no bearing, or the "
        "speed is not known (the orders are there); null: they are there.",
    )
    orders = FaultNumbers(allow_null=True, help_text="차수 / in multiples of the shaft's frequency.")
    bpfo = serializers.FloatField(allow_null=True, help_text="외륜 결함 주파수(Hz) / outer ring.")
    bpfi = serializers.FloatField(allow_null=True, help_text="내륜 결함 주파수(Hz) / inner ring.")
    bsf = serializers.FloatField(allow_null=True, help_text="전동체 결함 주파수(Hz) / spin of a rolling element.")
    ftf = serializers.FloatField(allow_null=True, help_text="케이지 결함 주파수(Hz) / cage.")


class FaultFrequencies(OfCapture):
    shaft_hz = serializers.FloatField(allow_null=True, help_text="회전 주파수(Hz) / null: not known.")
    shaft_source = serializers.ChoiceField(
        SHAFT_SOURCES, allow_null=True, help_text="회전 주파수의 근거 / how it is known."
    )
    bearings = BearingFaults(
        many=True, help_text="베어링 / of the machine, that are nearest to this sensor or to none, by name."
    )
