"""How programs say who they are: `Authorization: Bearer <token>`."""

import logging
import time
from datetime import datetime, timedelta

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from himmes.models import ApiToken
from machines.bookkeeping import refused

logger = logging.getLogger(__name__)
LAST_USED_STEP = timedelta(minutes=1)  # how exactly the last use is kept: not a write for every request
_none_until = 0.0  # by the clock `time.monotonic`: no use is noted before, as the database takes no writes


class ApiTokenAuthentication(TokenAuthentication):
    """knox's, looking a token up by its hash, and keeping expired ones for people to see."""

    def authenticate_credentials(self, token: bytes):
        try:
            digest = hash_token(token.decode())
        except UnicodeDecodeError:
            raise AuthenticationFailed("Invalid token.") from None
        found = ApiToken.objects.select_related("user").filter(digest=digest).first()
        if found is None:
            raise AuthenticationFailed("Invalid token. It may have been revoked; an administrator can make a new one.")
        if found.has_expired:
            raise AuthenticationFailed(f"This token expired at {timezone.localtime(found.expiry).isoformat()}.")
        now = timezone.now()
        user = self.validate_user(found)
        if found.last_used is None or abs(now - found.last_used) >= LAST_USED_STEP:
            _note_use(found, now)
        return user


def _note_use(token: ApiToken, now: datetime) -> None:
    """Keep when a token was used last. What it is used for does not fail when that can't be kept."""
    global _none_until
    if time.monotonic() < _none_until:
        return
    if error := refused(lambda: ApiToken.objects.filter(pk=token.pk).update(last_used=now)):
        _none_until = time.monotonic() + LAST_USED_STEP.total_seconds()
        logger.warning("The use of token %s can't be noted, nor that of others for a minute: %s", token.pk, error)


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = ApiTokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "API 토큰 / API token, made by an administrator."}
