"""Making API tokens, and finding the one that a caller shows."""

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Exists, Model, OuterRef, QuerySet
from knox.crypto import hash_token
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from common.database.compiled import CompiledQuery
from common.database.errors import DATABASE_ERRORS, Trouble, trouble_of
from himmes.accounts.models import ApiToken

User = get_user_model()
_GRANTED = ["role__permissions__content_type__app_label", "role__permissions__codename"]


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


def find_token(text: str) -> ApiToken | None:
    """The token of this text, with its user and what it is `granted`, as the database has them at this moment.

    One statement, with a row for each permission of the role: whatever is revoked counts from the next call on.
    """
    rows = _read_first(hash_token(text))
    if not rows:
        return None
    of_token, of_user = rows[0][: len(_TOKEN)], rows[0][len(_TOKEN) : len(_TOKEN) + len(_USER)]
    token = ApiToken.from_db("default", _TOKEN, of_token)
    token.user = User.from_db("default", _USER, of_user)
    if rows[0][-3] or token.user.is_superuser:
        token.granted = frozenset(f"{app}.{codename}" for *_others, app, codename in rows if codename)
    return token


def _read_first(digest: str) -> list[tuple]:
    """The rows of a digest, read in place of the ping with which Django begins to use a connection in a request.

    It is the first statement of a call, and changes nothing: where the connection turns out to be broken, it is asked
    once more over a new one. Not where it was new: a database that is away would be waited for twice.
    """
    kept: Any = connection  # of whose check the stubs know nothing
    kept.health_check_done, is_kept = True, kept.connection is not None
    try:
        return _OF_DIGEST.rows(digest)
    except DATABASE_ERRORS as error:
        if trouble_of(error) is not Trouble.AWAY or connection.in_atomic_block or not is_kept:
            raise
    connection.close()
    return _OF_DIGEST.rows(digest)


def _read(model: type[Model], *names: str) -> list[str]:
    """These fields in the order of the model, as `from_db` wants them; all others are read when they are asked for."""
    return [field.attname for field in model._meta.concrete_fields if field.attname in names]


_TOKEN = _read(ApiToken, "id", "name", "expiry", "last_used", "role_id", "user_id")
_USER = _read(User, "id", "username", "is_active", "is_superuser")


def _of_digest(digest: str) -> QuerySet:
    has_role = Exists(User.groups.through.objects.filter(user=OuterRef("user"), group=OuterRef("role")))
    return ApiToken.objects.filter(digest=digest).values_list(
        *_TOKEN, *(f"user__{name}" for name in _USER), has_role, *_GRANTED
    )


_OF_DIGEST = CompiledQuery(_of_digest)
