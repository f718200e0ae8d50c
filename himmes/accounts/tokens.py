"""Making API tokens."""

from datetime import datetime

from django.contrib.auth.models import Group
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from himmes.accounts.models import ApiToken


def make_token(user, role: Group, *, name: str, expiry: datetime | None = None) -> tuple[ApiToken, str]:
    """A new token of a user and its text, which is not kept anywhere and can't be shown again.

    Raises ValidationError for a name that is too long.
    """
    token = ApiToken(user=user, role=role, name=name, expiry=expiry)
    text = issue(token)
    token.full_clean()
    token.save()
    return token, text


def issue(token: ApiToken) -> str:
    """Give an unsaved token its secret; the text to show once."""
    token.digest, text = get_digest_token()
    token.token_key = text[: CONSTANTS.TOKEN_KEY_LENGTH]
    return text
