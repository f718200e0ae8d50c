from typing import Any

from django.contrib.auth.decorators import permission_required
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.page_queries import reads
from vibration.models import CaptureAxis
from vibration.models.captures import REASONS
from vibration.pages.forms import STATE_NAMES, FeaturesForm, WaveformForm
from vibration.pages.sample_table import read_page
from vibration.pages.spectrum_tools import TOOLS_TEXT, LaboratoryTools, SecondWindow
from vibration.pages.table_form import SampleTableForm
from vibration.pages.trends.quantities import QUANTITY_NAMES
from vibration.signals.quantities import QUANTITIES, Scale
from vibration.signals.reasons import Reason
from vibration.storage.exporting import export_samples
from vibration.storage.reading import places_of

# What static/js/spectrum.js says beyond that.
SPECTRUM_TEXT = {
    "window": _("{start} s to {end} s, {samples} samples"),
    "window_one": _("{start} s, one sample"),
    "no_window": _("There are no samples in this window."),
    "in_parts": _(
        "RMS, peak and crest factor use all samples. Kurtosis and spectrum use {read} of them, in {parts} parts "
        "spread evenly over the window."
    ),
    "spectrum": _(
        "Amplitude, mean of {sections} sections of {length} s, resolution {resolution} Hz: {samples} samples at {rate} "
        "Hz, mean removed, {window} window."
    ),
    "spectrum_one": _(
        "Amplitude of one section of {length} s, resolution {resolution} Hz: {samples} samples at {rate} Hz, mean "
        "removed, {window} window."
    ),
    "short": _("No stretch without a gap has room for a whole section, so the resolution is coarser than usual."),
    "longest_stretch": _("There are gaps: only the longest stretch without one is used, {start} s to {end} s."),
    "left_out": _("Samples left out, beside gaps or where the spacing is uneven: {samples}."),
    "groups": _("The chart shows the greatest amplitude of each {bins} neighbouring frequencies."),
    "fewer_than_16": _("No spectrum: it needs at least 16 samples."),
    "too_few_samples": _(
        "No spectrum: by their times, there are no 16 consecutive samples without a gap. Times that are rounded too "
        "coarsely also look like gaps."
    ),
    "not_evenly_sampled": _("No spectrum: the samples of this window are not evenly spaced in time."),
    "samples_removed": _(
        "No spectrum and no kurtosis: both need raw samples, and those before {before} s were removed. Choose a window "
        "after that."
    ),
    "orders": _("Order 1 is the rated speed of the machine, {rpm} rpm ({hertz} Hz)."),
    "no_orders": _("The rated speed of this machine is not set. Once it is, peaks are also given as orders."),
    "frequency": _("Frequency (Hz)"),
    "amplitude": _("Amplitude"),
    "tooltip_peak": _("{state}: peak at {frequency}, {value}"),
    "tooltip_peak_order": _("{state}: peak at {frequency}, {value}, order {order}"),
}
# What static/js/waveform.js says. A separate text for one, so that no language needs plural rules in the browser.
WAVEFORM_TEXT = {
    "reduced": _(
        "{samples} samples shown as {buckets} buckets of {width} s, with the least and greatest value of each"
    ),
    "reduced_to_one": _("{samples} samples shown as one bucket of {width} s, with its least and greatest value"),
    "pruned": _("Raw samples before {before} s were removed: only their least and greatest values are left."),
    "all": _("all {samples} samples of this window"),
    "all_one": _("the only sample of this window"),
    "nothing": _("There are no samples in this window. The recording spans {start} s to {end} s."),
    "empty": _("This recording has no samples yet."),
    "no_state": _("No state is selected."),
    "range": _("{min} to {max}"),
    "tooltip_range": _("{state}: least {min}, greatest {max}"),
    "tooltip_value": _("{state}: {value}"),
    "time": _("Seconds from the start of the recording"),
    "value": _("Vibration"),
    "away": _("The server does not answer. Check the connection, then try again."),
    "unavailable": _("The database is not answering right now. This page keeps trying."),
    "refused": _("The server refused the request: {reason}"),
    "gone": _("This recording is no longer stored."),
    "failed": _("The server could not answer (HTTP {status}). Try again later."),
    "logged_out": _("You are logged out."),
    "too_often": _("Too many requests came from here. This page continues by itself in {seconds} s."),
    "dashed": _("{name} (dashed)"),
} | SPECTRUM_TEXT


_REASONS_OF_WINDOWS = {Reason.SHORT.value: _("the window is too short")}
# What static/js/features.js says.
FEATURES_TEXT = {
    name: WAVEFORM_TEXT[name]
    for name in ("no_state", "time", "away", "unavailable", "refused", "gone", "failed", "logged_out", "too_often")
} | {
    "windows": _("{windows} windows of {length} s, one each {distance} s, {samples} samples in all."),
    "window_one": _("One window of {length} s, {samples} samples."),
    "between": _("The samples between the windows are not read."),
    "nothing": _("There are no samples in this part of the recording."),
    "empty": _("Windows in which nothing was measured: {count}. The line has a gap there."),
    "removed": _("Windows whose samples were removed: {count}. The line has a gap there."),
    "uneven": _(
        "Windows whose samples are not evenly spaced in time: {count}. They are no signal and have no features; the "
        "line has a gap there."
    ),
    "cut": _("Windows that hold more samples than are read of one: {count}. Of these the beginning is used."),
    "not_assessable": _("{state}: not assessable in {count} of {of} windows: {reason}."),
    "noise": _("nothing stands out of the noise"),
    "span": _("{start} s to {end} s"),
    "value": _("{state}: {value}"),
    "no_value": _("{state}: not assessable"),
    "reading": _("{span}. {values}. Enter opens the waveform of this window."),
    "no_window": _("{span}: the samples are not evenly spaced in time."),
    "ratio": _("({ratio}×)"),
}


@permission_required("vibration.view_vibrationdata", raise_exception=True)
@reads(FeaturesForm)
def features(request):
    form = FeaturesForm(request.GET)
    recording = form.chosen()
    nothing_stored = not form.fields["machine"].choices
    context: dict[str, Any] = {"form": form, "recording": recording, "nothing_stored": nothing_stored}
    if recording:
        machine, unit = recording.sensor.machine, recording.sensor.unit
        units = {Scale.SIGNAL: unit}
        context |= {
            "features": [
                {"name": name, "title": QUANTITY_NAMES[name], "unit": units.get(scale, scale.value)}
                for name, scale in QUANTITIES.items()
            ],
            "text": FEATURES_TEXT | {"states": STATE_NAMES, "reasons": dict(REASONS) | _REASONS_OF_WINDOWS},
            "has_captures": request.user.has_perm("vibration.view_capture")
            and CaptureAxis.objects.filter(sensor__machine=machine).exists(),
        }
    return render(request, "vibration/features.html", context, status=200 if recording or nothing_stored else 400)


@permission_required("vibration.view_vibrationdata", raise_exception=True)
@reads(WaveformForm, *LaboratoryTools.names(), *SecondWindow.names())
def waveform(request):
    form = WaveformForm(request.GET)
    tools, second_window = LaboratoryTools(request.GET, form_id="waveform-form"), SecondWindow(request.GET)
    is_valid = form.is_valid() & tools.is_valid() & second_window.is_valid()
    recording = form.chosen() if is_valid else None
    nothing_stored = not form.fields["machine"].choices
    compared = form.compared() if is_valid else None
    second = compared or (recording if is_valid and second_window.is_asked() else None)
    context = {
        "form": form,
        "tools": tools,
        "second_window": second_window,
        "is_valid": is_valid,
        "recording": recording,
        "compared": compared,
        "second": second,
        "has_one_unit": recording and second and recording.sensor.unit == second.sensor.unit,
        "pruned": [it for it in (recording, compared) if it and it.pruned_count],
        "nothing_stored": nothing_stored,
        "text": WAVEFORM_TEXT | TOOLS_TEXT | {"states": STATE_NAMES},
    }
    return render(request, "vibration/waveform.html", context, status=200 if recording or nothing_stored else 400)


@permission_required("vibration.view_vibrationdata", raise_exception=True)
@reads(SampleTableForm)
def table(request):
    form = SampleTableForm(request.GET)
    context = {"form": form, "state_names": STATE_NAMES}
    if not form.is_valid():
        return render(request, "vibration/table.html", context, status=400)
    now = timezone.now()
    recordings, window = form.recordings(now), form.window(now)
    if form.cleaned_data["format"] == "csv":
        return export_samples(request, places_of(recordings), window, *form.place(), newest_first=True)
    page = read_page(recordings, window, form.cleaned_data["cursor"])
    context |= {
        "page": page,
        "has_units": any(row.unit for row in page.rows),
        "place": " / ".join(form.place()),
        "older": page.older and form.newest(cursor=str(page.older)),
        "pruned": form.pruned(recordings),
    }
    return render(request, "vibration/table.html", context)
