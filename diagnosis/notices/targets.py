"""Where a subscription sends to: whether it may, and how it is shown."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from diagnosis.models import Subscription
from diagnosis.notices import mail, messengers, webhooks

HIDDEN = "•••"
Channel = Subscription.Channel
_CHECKS = {Channel.EMAIL: mail.check, Channel.WEBHOOK: webhooks.check, Channel.APPRISE: messengers.check}


def check(channel: str, target: str, account_address: str) -> None:
    """Raises ValidationError, which says what to do. `account_address` is the e-mail address of the user's account."""
    if channel == Channel.EMAIL and not target and not account_address:
        raise ValidationError(_("Enter an e-mail address. Your account has none."))
    if channel != Channel.EMAIL and not target:
        raise ValidationError(_("Enter an address."))
    _CHECKS[Channel(channel)](target)


def masked(subscription: Subscription) -> str:
    """The address without what may be a password or a token."""
    if subscription.channel == Channel.EMAIL:
        return mail.address_of(subscription)
    parts = urlsplit(subscription.target)
    # Of messengers the host, too, is mostly a token.
    host = parts.hostname or "" if subscription.channel == Channel.WEBHOOK else ""
    return f"{parts.scheme}://{host}{'/' if host else ''}{HIDDEN}"
