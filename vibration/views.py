from django.contrib.auth.decorators import permission_required
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from vibration.forms import STATE_NAMES, WaveformForm

# What static/js/waveform.js says. A separate text for one, so that no language needs plural rules in the browser.
WAVEFORM_TEXT = {
    "reduced": _(
        "{samples} samples shown as {buckets} buckets of {width} s; the least and greatest value of each kept"
    ),
    "reduced_to_one": _("{samples} samples shown as one bucket of {width} s; its least and greatest value kept"),
    "all": _("all {samples} samples of this window, none left out"),
    "all_one": _("the only sample of this window"),
    "nothing": _("There are no samples in this window. The recording goes from {start} s to {end} s."),
    "empty": _("This recording has no samples yet."),
    "no_state": _("No state is chosen."),
    "range": _("{min} to {max}"),
    "tooltip_range": _("{state}: least {min}, greatest {max}"),
    "tooltip_value": _("{state}: {value}"),
    "time": _("Seconds from the start of the recording"),
    "value": _("Vibration"),
    "away": _("The server does not answer. Check the connection, then try again."),
    "refused": _("The server refused the request: {reason}"),
    "gone": _("This recording is no longer stored."),
    "failed": _("The server could not answer (HTTP {status}). Try again later."),
    "logged_out": _("You are logged out."),
}


@permission_required("vibration.view_vibrationdata", raise_exception=True)
def waveform(request):
    form = WaveformForm(request.GET)
    recording = form.chosen()
    nothing_stored = not form.fields["machine"].choices
    context = {
        "form": form,
        "recording": recording,
        "nothing_stored": nothing_stored,
        "text": WAVEFORM_TEXT | {"states": STATE_NAMES},
    }
    return render(request, "vibration/waveform.html", context, status=200 if recording or nothing_stored else 400)
