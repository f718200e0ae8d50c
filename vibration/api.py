"""The API of the vibration data; its paths stand in `himmes/api.py`."""

import math

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from vibration.models import DEFAULT_RECORDING, Recording
from vibration.states import STATES
from vibration.waveform import DEFAULT_POINTS, MAX_POINTS, MIN_POINTS, Waveform, read_waveform


class WaveformQuery(serializers.Serializer):
    machine_name = serializers.CharField()
    sensor_no = serializers.CharField()
    recording = serializers.CharField(default=DEFAULT_RECORDING)
    start = serializers.FloatField(default=0.0)
    end = serializers.FloatField(default=math.inf)
    points = serializers.IntegerField(default=DEFAULT_POINTS, min_value=MIN_POINTS, max_value=MAX_POINTS)
    states = serializers.ListField(child=serializers.ChoiceField(choices=STATES), default=STATES)

    def validate(self, query):
        if query["end"] < query["start"]:
            raise serializers.ValidationError({"end": "Must not be smaller than start."})
        return query


class WaveformView(APIView):
    """A window of one recording as at most `points` buckets with the least and greatest value of each state."""

    def get(self, request):
        query = WaveformQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        recording = get_object_or_404(
            Recording.objects.select_related("sensor__machine"),
            name=asked["recording"],
            sensor__sensor_no=asked["sensor_no"],
            sensor__machine__name=asked["machine_name"],
        )
        waveform = read_waveform(recording, asked["start"], asked["end"], asked["points"])
        return Response(describe(recording, waveform, [state for state in STATES if state in asked["states"]]))


def describe(recording: Recording, waveform: Waveform, states: list[str]) -> dict:
    """A waveform as JSON; `samples` is how many it stands for, `bucket_width` 0 when each is there by itself."""
    return {
        "machine_name": recording.sensor.machine.name,
        "sensor_no": recording.sensor.sensor_no,
        "recording": recording.name,
        "recording_start": recording.first_time,
        "recording_end": recording.last_time,
        "start": waveform.start,
        "end": waveform.end,
        "bucket_width": waveform.width,
        "buckets": len(waveform.time),
        "samples": int(waveform.count.sum()),
        "time": waveform.time.tolist(),
        "states": {
            state: {
                "min": waveform.minimum[:, STATES.index(state)].tolist(),
                "max": waveform.maximum[:, STATES.index(state)].tolist(),
            }
            for state in states
        },
    }
