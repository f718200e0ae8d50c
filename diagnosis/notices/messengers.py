"""Notices through Slack, Teams, KakaoTalk, Telegram and their like, by the package apprise.

apprise opens its connections itself, so that nobody could judge where they lead: only services are offered whose hosts
are fixed. It is imported when it is needed; with it a process takes some 45 MB more.
"""

import logging
from types import ModuleType
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from diagnosis.models import Subscription
from diagnosis.notices.messages import Message, NotSent

# The beginning of an address, and the name of the service; the hosts of each stand in apprise.
SERVICES = {
    "dingtalk": "DingTalk",
    "discord": "Discord",
    "feishu": "Feishu",
    "gchat": "Google Chat",
    "kakaotalk": "KakaoTalk",
    "lark": "Lark",
    "line": "LINE",
    "pagerduty": "PagerDuty",
    "pover": "Pushover",
    "slack": "Slack",
    "tgram": "Telegram",
    "wecombot": "WeCom",
    "workflows": "Microsoft Teams",
    "wxteams": "Webex",
}
# In the documents of apprise
CALLED_THERE = {"gchat": "googlechat", "pover": "pushover", "tgram": "telegram"}
# Of Teams the host stands in the address, so it must be one of Microsoft's.
TEAMS = "workflows"
TEAMS_HOSTS = (".logic.azure.com", ".api.powerplatform.com")
# What may stand behind a question mark. Others read files or addresses (template), or switch checks off (verify).
OPTIONS = {"to", "topic", "thread", "silent", "link", "region", "priority", "mode", "image", "id", "sig", "pa", "route"}
WHOLE_S = 30.0


class _Words(logging.Handler):
    """What apprise says of a failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def check(target: str) -> None:
    """Raises ValidationError for what is no address of a service that is offered."""
    _service(target)


def send(subscription: Subscription, message: Message) -> None:
    """Raises NotSent."""
    words = _Words()
    try:
        apprise, service = _service(subscription.target)
    except ValidationError as error:
        raise NotSent(error.messages[0]) from error
    sender = apprise.Apprise(asset=service.asset)
    sender.add(service)
    log = logging.getLogger("apprise")
    log.addHandler(words)
    try:
        is_sent = sender.notify(title=message.subject, body=message.body, body_format=apprise.NotifyFormat.TEXT)
    finally:
        log.removeHandler(words)
    if not is_sent:
        told = {"service": service.service_name, "error": "; ".join(words.said) or "?"}
        raise NotSent(_("%(service)s did not take it: %(error)s") % told)


def _service(target: str) -> tuple[ModuleType, Any]:
    """apprise, and its service for an address. Raises ValidationError."""
    scheme = target.partition("://")[0].lower()
    if scheme not in SERVICES:
        known = ", ".join(f"{it}:// ({name})" for it, name in SERVICES.items())
        raise ValidationError(
            _("“%(scheme)s” is no messenger that notices go to. Known: %(known)s.")
            % {"scheme": scheme[:20], "known": known}
        )
    _check_options(target)
    apprise = _apprise()
    asset = apprise.AppriseAsset(
        async_mode=False, http_redirects=False, storage_mode="memory", service_timeout=WHOLE_S, allow_templates=False
    )
    service = apprise.Apprise.instantiate(target, asset=asset)
    if service is None:
        setup = f"https://appriseit.com/services/{CALLED_THERE.get(scheme, scheme)}/"
        raise ValidationError(
            _("This is no complete address for %(service)s. How it is put together: %(setup)s")
            % {"service": SERVICES[scheme], "setup": setup}
        )
    if scheme == TEAMS:
        _check_host(service)
    service.overflow_mode = apprise.OverflowMode.SPLIT  # some take few letters
    return apprise, service


def _check_options(target: str) -> None:
    """Read by a strict rule of our own: of what looks odd, apprise may read another thing than anybody else."""
    _address, mark, options = target.partition("?")
    if not mark:
        return
    for option in options.split("&"):
        name, _equals, value = option.partition("=")
        if name not in OPTIONS or set(value) & set("?;=#"):
            raise ValidationError(_("Leave “%(option)s” out of the address.") % {"option": option[:50]})


def _check_host(service: Any) -> None:
    """Of Teams; the one that apprise will connect to."""
    if not service.host.endswith(TEAMS_HOSTS) or service.port not in (None, 443):
        raise ValidationError(
            _("An address for Microsoft Teams begins with workflows:// and a host that ends with %(hosts)s.")
            % {"hosts": _(" or ").join(TEAMS_HOSTS)}
        )


def _apprise() -> ModuleType:
    try:
        import apprise
    except ImportError:
        raise ValidationError(
            _(
                "Messengers need the package apprise, which is not installed. An administrator installs it: "
                "scripts/setup.sh notices."
            )
        ) from None
    return apprise
