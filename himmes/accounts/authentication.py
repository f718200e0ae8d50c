"""How programs authenticate: `Authorization: Bearer <token>`."""

from datetime import timedelta

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from common.database.bookkeeping import Notes
from himmes.accounts.models import ApiToken
from himmes.accounts.tokens import find_token

LAST_USED_STEP = timedelta(minutes=1)  # how exactly the last use is kept: not a write for every request
USES = Notes("When a token was used last")


class ApiTokenAuthentication(TokenAuthentication):
    """knox's, looking a token up by its hash, and keeping expired ones for people to see."""

    def authenticate_credentials(self, token: bytes):
        try:
            found = find_token(token.decode())
        except UnicodeDecodeError:
            raise AuthenticationFailed("Invalid token.") from None
        if found is None:
            raise AuthenticationFailed("Invalid token. It may have been revoked; an administrator can make a new one.")
        if found.has_expired:
            raise AuthenticationFailed(f"This token expired at {timezone.localtime(found.expiry).isoformat()}.")
        now = timezone.now()
        user = self.validate_user(found)
        if found.last_used is None or abs(now - found.last_used) >= LAST_USED_STEP:
            USES.written(lambda: ApiToken.objects.filter(pk=found.pk).update(last_used=now))
        return user


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = ApiTokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "API 토큰 / API token, made by an administrator."}
