"""What people do about an alarm, as forms; an error is shown at its field."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from diagnosis.episodes.standing import SHELVED_FOR, Kind
from diagnosis.models import Episode, EpisodeAct
from diagnosis.models.episodes import FOUND
from diagnosis.states import FaultType
from diagnosis.storage import acts
from diagnosis.storage.acts import LONGEST_TEXT, Actor, InvalidAct

MINUTES = [
    (60, _("1 hour")),
    (4 * 60, _("4 hours")),
    (8 * 60, _("8 hours")),
    (24 * 60, _("1 day")),
    (3 * 24 * 60, _("3 days")),
    (7 * 24 * 60, _("7 days")),
]


def _text(label: Any, *, required: bool = False, **options: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 2, "class": "form-control"})
    return forms.CharField(label=label, required=required, max_length=LONGEST_TEXT, widget=widget, **options)


class ActForm(forms.Form):
    """What was on the screen, and what is to be done about it."""

    data: QueryDict  # as a page sends it; Django takes any mapping
    kind: ClassVar[Kind]
    title: ClassVar[Any]
    button: ClassVar[Any]

    seen = forms.IntegerField(
        min_value=0,
        widget=forms.HiddenInput,
        error_messages={
            name: _("The page did not say which revision of the alarm was on the screen. Open the alarm again.")
            for name in ("required", "invalid", "min_value", "max_value")
        },
    )

    def __init__(self, episode: Episode, data: Any = None, *, said: QueryDict | None = None):
        """`said` is what somebody has written before. Ids differ from those of the other forms of a page."""
        self.episode, self.said = episode, said
        initial = {**(said.dict() if said else {}), "seen": episode.revision}
        super().__init__(data, initial=initial, auto_id=f"{self.kind.value}-%s", label_suffix="")

    @property
    def url(self) -> str:
        return reverse(f"alarm-{self.kind.value}", args=[self.episode.pk])

    def store(self, actor: Actor) -> EpisodeAct | None:
        """Do it; the form must be valid. What is wrong with it all the same is an error of the form, and gives None."""
        try:
            return getattr(acts, self.kind.value)(self.episode.pk, actor, **self.cleaned_data)
        except InvalidAct as invalid:
            for name, text in invalid.errors.items():
                self.add_error(name if name in self.fields else None, str(text))
            return None

    def asks_for(self, act: EpisodeAct) -> bool:
        """Whether this act is what the form, which must be valid, wants to have done."""
        asked = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        if "reason" in asked:
            asked["comment"] = asked.pop("reason")
        # A false alarm has found nothing, which is 0 where it is stored.
        return act.kind == self.kind and all((getattr(act, name) or None) == (asked[name] or None) for name in asked)


class AcknowledgeForm(ActForm):
    kind, title, button = Kind.ACKNOWLEDGE, _("Acknowledge"), _("Acknowledge")
    comment = _text(_("Comment"))


class ShelveForm(ActForm):
    kind, title, button = Kind.SHELVE, _("Shelve"), _("Shelve")
    reason = _text(_("Reason"), required=True, error_messages={"required": _("Say why it is shelved.")})
    minutes = forms.TypedChoiceField(
        label=_("For how long"),
        choices=MINUTES,
        coerce=int,
        initial=SHELVED_FOR // timedelta(minutes=1),
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={
            name: _("Shelve it for 1 minute to 7 days (10,080 minutes).") for name in ("required", "invalid_choice")
        },
    )


class UnshelveForm(ActForm):
    kind, title, button = Kind.UNSHELVE, _("Take from the shelf"), _("Take from the shelf")
    comment = _text(_("Comment"))


class NoteForm(ActForm):
    """Possible whatever was seen."""

    kind, title, button = Kind.NOTE, _("Note"), _("Write the note")
    seen = None  # type: ignore[assignment]  # so Django leaves a field of the parent out
    comment = _text(_("Note"), required=True, error_messages={"required": _("Write what is to be noted.")})


class CloseForm(ActForm):
    kind, title = Kind.CLOSE, _("Close with an outcome")
    button = pgettext_lazy("act", "Close")
    verdict = forms.ChoiceField(
        label=_("Was the alarm right?"),
        choices=EpisodeAct.Verdict,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        error_messages={
            name: _("Say whether the alarm was right: right, false or unclear.")
            for name in ("required", "invalid_choice")
        },
    )
    found = forms.TypedChoiceField(
        label=_("Fault found"),
        choices=[("", "–"), *((number, name) for number, name in FOUND if number != FaultType.NORMAL)],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={"invalid_choice": _("Say which fault was found.")},
    )
    action = _text(_("Action taken"))
    comment = _text(_("Comment"))


FORMS: dict[Kind, type[ActForm]] = {
    it.kind: it for it in (AcknowledgeForm, ShelveForm, UnshelveForm, NoteForm, CloseForm)
}
