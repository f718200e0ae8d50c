"""The form of one subscription: where notices go, and of what."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from common.limits.counting import UsedUp, take
from common.natural_order import natural
from diagnosis.models import Subscription
from diagnosis.models.notices import Transition
from diagnosis.notices import messengers, targets
from machines.models import Machine

MOST_SUBSCRIPTIONS = 20  # of one user
# Names of hosts that are looked up for one user: nobody is to find out which ones the network of the plant has.
NAMES, NAMES_S = 60, 3600
_CHECKBOXES = forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})


def _hours(first: int, last: int) -> list[tuple[str, str]]:
    return [("", "–"), *((str(hour), f"{hour:02}:00") for hour in range(first, last + 1))]


class SubscriptionForm(forms.ModelForm):
    """`instance` belongs to the user whose form it is."""

    target = forms.CharField(label=_("Address"), max_length=500, required=False)
    machines = forms.ModelMultipleChoiceField(
        Machine.objects.none(), label=_("Machines"), required=False, widget=_CHECKBOXES
    )
    least_severity = forms.TypedChoiceField(
        label=_("Least severity"), choices=[(it, f"{it}/5") for it in range(1, 6)], coerce=int
    )
    transitions = forms.MultipleChoiceField(label=_("Told of"), choices=Transition, required=False, widget=_CHECKBOXES)
    from_hour = forms.TypedChoiceField(
        label=_("From hour"), choices=_hours(0, 23), coerce=int, empty_value=None, required=False
    )
    to_hour = forms.TypedChoiceField(
        label=_("To hour"), choices=_hours(0, 24), coerce=int, empty_value=None, required=False
    )

    class Meta:
        model = Subscription
        fields = (
            "channel",
            "target",
            "machines",
            "least_severity",
            "transitions",
            "from_hour",
            "to_hour",
            "language",
            "is_active",
        )
        labels = {"channel": _("Channel"), "language": _("Language"), "is_active": _("Send notices")}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        machines: Any = self.fields["machines"]
        machines.queryset = Machine.objects.all()
        choices = sorted(Machine.objects.order_by(), key=lambda it: natural(it.name))
        machines.choices = [(it.pk, str(it)) for it in choices]

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or {}
        self._check_target(asked)
        self._check_hours(asked)
        if self.instance._state.adding and self.instance.user.subscriptions.count() >= MOST_SUBSCRIPTIONS:
            raise ValidationError(
                _("You have %(number)s subscriptions, which is the most there may be. Delete one first."),
                params={"number": MOST_SUBSCRIPTIONS},
            )
        return asked

    def _check_target(self, asked: dict[str, Any]) -> None:
        if "channel" not in asked or "target" not in asked:
            return
        try:
            if asked["channel"] == Subscription.Channel.WEBHOOK:
                take(f"webhook-names-{self.instance.user.pk}", NAMES, NAMES_S)
            targets.check(asked["channel"], asked["target"], self.instance.user.email)
        except UsedUp:
            self.add_error("target", _("You have tried too many addresses. Wait an hour."))
        except ValidationError as error:
            self.add_error("target", error)

    def _check_hours(self, asked: dict[str, Any]) -> None:
        start, end = asked.get("from_hour"), asked.get("to_hour")
        if (start is None) != (end is None) and not self.errors.keys() & {"from_hour", "to_hour"}:
            self.add_error("from_hour" if start is None else "to_hour", _("Choose both hours or none."))
        elif start is not None and start == end:
            self.add_error("to_hour", _("The hours begin and end at the same time. For the whole day choose none."))

    @property
    def services(self) -> list[str]:
        """The messengers that there are, each with how its addresses begin."""
        return [f"{name} ({it}://)" for it, name in messengers.SERVICES.items()]
