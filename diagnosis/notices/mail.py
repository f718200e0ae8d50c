"""Notices by e-mail."""

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from diagnosis.models import Subscription
from diagnosis.notices.messages import Message, NotSent


def address_of(subscription: Subscription) -> str:
    """Where it goes: that of the subscription or, where it has none, of the user."""
    return subscription.target or subscription.user.email


def check(target: str) -> None:
    """Raises ValidationError. Empty: the address of the user."""
    if target:
        validate_email(target)


def send(subscription: Subscription, message: Message) -> None:
    """Raises NotSent."""
    if not settings.MAIL_IS_CONFIGURED:
        raise NotSent(_("No mail server is configured (DJANGO_EMAIL_URL)."))
    if not (to := address_of(subscription)):
        raise NotSent(_("Enter an e-mail address. Your account has none."))
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    headers = {
        "Message-ID": f"<{message.key}@{domain}>",
        "X-HIMMES-Notice": message.key,
        "Auto-Submitted": "auto-generated",  # no answer from whoever is on holiday
    }
    try:
        EmailMessage(message.subject, message.body, to=[to], headers=headers).send()
    except SMTPException as error:
        raise NotSent(_("The mail server refused it: %(error)s") % {"error": _in_words(error)}) from error
    except OSError as error:
        raise NotSent(_("The mail server can't be reached: %(error)s") % {"error": error}) from error


def _in_words(error: SMTPException) -> str:
    """What the server said; of refused receivers, of each."""
    refused = getattr(error, "recipients", None) or {}
    answers = list(refused.values()) or [(getattr(error, "smtp_code", ""), getattr(error, "smtp_error", str(error)))]
    return "; ".join(
        f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}" for code, text in answers
    )
