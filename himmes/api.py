"""Every path of the API, on one screen. A trailing slash is optional on each."""

from django.urls import re_path

from vibration.api import WaveformView

urlpatterns = [
    re_path(r"^vibration-data/waveform/?$", WaveformView.as_view(), name="api-waveform"),
]
