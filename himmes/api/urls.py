"""Every path of the API, on one screen. A trailing slash is optional on each."""

from django.urls import re_path

from diagnosis.api import episode_views as episodes
from diagnosis.api import views as diagnosis
from himmes.api import docs
from machines import api as machines
from vibration.api import capture_views as captures
from vibration.api import feature_views as vibration_features
from vibration.api import upload_views as vibration_uploads
from vibration.api import views as vibration
from vibration.api import window_views as vibration_windows
from vibration.api.spectra import views as spectra
from vibration.api.trends import views as trends


def at(path: str, view, name: str):
    return re_path(rf"^{path}/?$", view.as_view(), name=f"api-{name}")


urlpatterns = [
    at("machines", machines.MachineList, "machines"),
    at(r"machines/(?P<pk>[0-9]{1,18})", machines.MachineDetail, "machine"),
    at("sensors", machines.SensorList, "sensors"),
    at(r"sensors/(?P<pk>[0-9]{1,18})", machines.SensorDetail, "sensor"),
    at("recordings", vibration.RecordingList, "recordings"),
    at(r"recordings/(?P<pk>[0-9]{1,18})", vibration.RecordingDetail, "recording"),
    at("vibration-data", vibration.SampleList, "samples"),
    at("vibration-data/bulk", vibration.SampleBulk, "sample-bulk"),
    at("vibration-data/csv", vibration_uploads.CsvUploadView, "csv-upload"),
    at("vibration-data/features", vibration_features.FeaturesView, "features"),
    at("vibration-data/cursors", spectra.RecordingCursorsView, "cursors"),
    at("vibration-data/grouped-range", vibration.GroupedRange, "grouped-range"),
    at("vibration-data/spectrum", vibration_windows.SpectrumView, "spectrum"),
    at("vibration-data/waveform", vibration_windows.WaveformView, "waveform"),
    at("captures", captures.CaptureList, "captures"),
    at("captures/bulk", captures.CaptureBulk, "capture-bulk"),
    at(r"captures/(?P<pk>[0-9]{1,18})", captures.CaptureOne, "capture"),
    at(r"captures/(?P<pk>[0-9]{1,18})/cursors", spectra.CaptureCursorsView, "capture-cursors"),
    at(r"captures/(?P<pk>[0-9]{1,18})/fault-frequencies", spectra.FaultFrequenciesView, "capture-fault-frequencies"),
    at(r"captures/(?P<pk>[0-9]{1,18})/samples", captures.CaptureSamples, "capture-samples"),
    at(r"captures/(?P<pk>[0-9]{1,18})/spectrum", spectra.CaptureSpectrumView, "capture-spectrum"),
    at(r"captures/(?P<pk>[0-9]{1,18})/waveform", spectra.CaptureWaveformView, "capture-waveform"),
    at("trend", trends.TrendView, "trend"),
    at("trend/numbers", trends.TrendNumbersView, "trend-numbers"),
    at("waterfall", trends.WaterfallView, "waterfall"),
    at("vibration-diagnosis", diagnosis.DiagnosisList, "diagnoses"),
    at("vibration-diagnosis/bulk", diagnosis.DiagnosisBulk, "diagnosis-bulk"),
    at("vibration-diagnosis/grouped-recent", diagnosis.GroupedRecent, "grouped-recent"),
    at("vibration-diagnosis/latest", diagnosis.Latest, "latest"),
    at("vibration-diagnosis/timeline", diagnosis.Timeline, "timeline"),
    at("episodes", episodes.EpisodeList, "episodes"),
    at(r"episodes/(?P<pk>[0-9]{1,18})", episodes.EpisodeDetail, "episode"),
    at(r"episodes/(?P<pk>[0-9]{1,18})/acknowledge", episodes.Acknowledge, "acknowledge"),
    at(r"episodes/(?P<pk>[0-9]{1,18})/shelve", episodes.Shelve, "shelve"),
    at(r"episodes/(?P<pk>[0-9]{1,18})/unshelve", episodes.Unshelve, "unshelve"),
    at(r"episodes/(?P<pk>[0-9]{1,18})/note", episodes.Note, "note"),
    at(r"episodes/(?P<pk>[0-9]{1,18})/close", episodes.Close, "close"),
    at("schema", docs.Schema, "schema"),
    at("docs", docs.SwaggerUi, "docs"),
    at("redoc", docs.Redoc, "redoc"),
]
