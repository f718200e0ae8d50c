"""The tables of vibration: labelled recordings, captures of running machines, imports of files, trends."""

from vibration.models.captures import Capture, CaptureAxis, CaptureFeatures, CaptureMapping
from vibration.models.imports import ImportRun
from vibration.models.recordings import DEFAULT_RECORDING, Recording, VibrationData, VibrationRollup
from vibration.models.trends import FeatureRollup, SpectrumOutline

__all__ = [
    "DEFAULT_RECORDING",
    "Capture",
    "CaptureAxis",
    "CaptureFeatures",
    "CaptureMapping",
    "FeatureRollup",
    "ImportRun",
    "Recording",
    "SpectrumOutline",
    "VibrationData",
    "VibrationRollup",
]
