"""The tables of vibration: labelled recordings, captures of running machines, imports of files."""

from vibration.models.captures import Capture, CaptureAxis, CaptureFeatures, CaptureMapping
from vibration.models.imports import ImportRun
from vibration.models.recordings import DEFAULT_RECORDING, Recording, VibrationData, VibrationRollup

__all__ = [
    "DEFAULT_RECORDING",
    "Capture",
    "CaptureAxis",
    "CaptureFeatures",
    "CaptureMapping",
    "ImportRun",
    "Recording",
    "VibrationData",
    "VibrationRollup",
]
