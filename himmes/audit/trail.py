"""The audit trail: what is noted automatically, and who is behind each entry.

django-auditlog compares and stores; `common.audit_trail.note` is for what is no change of a row.
"""

import sys
from pathlib import Path
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from auditlog.signals import post_log
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from common.addresses import address_of
from common.audit_trail import Action, note
from common.database.columns import columns_of
from common.terminal import user_name
from diagnosis.models import Subscription
from himmes.accounts.models import ApiToken
from himmes.operations.logs import current_request
from machines.models import Bearing, Machine, Sensor
from vibration.files.report import COUNTS
from vibration.models import CaptureMapping, ImportRun, Recording

HIDDEN = "•••"
# Models of which each change is noted, with the fields that are not: numbers of rows, what changes by itself as a last
# login or a last use, and secrets.
NOT_NOTED: dict[type[Model], list[str]] = {
    Machine: ["id"],
    Sensor: ["id"],
    Bearing: ["id"],
    get_user_model(): ["id", "last_login", "date_joined"],
    Group: ["id"],
    ApiToken: ["id", "digest", "last_used"],
    Subscription: ["id", "secret", "created_at"],
    CaptureMapping: ["id", "saved_at"],
}
MASKED = {"password", "target"}  # that it changed is noted, but not what it is

CALLED = {"token_key": _("begins with")}  # of a token, whose package has no name for it


def listen() -> None:
    """Connect everything that is noted automatically."""
    pre_save.connect(_say_who, sender=LogEntry)
    for model, left_out in NOT_NOTED.items():
        fields = columns_of(model, without=left_out)
        masked = sorted(MASKED & set(fields))
        auditlog.register(
            model,
            include_fields=fields,
            mapping_fields=CALLED if model is ApiToken else {},
            mask_fields=masked,
            mask_callable=f"{__name__}.hidden",
        )
    user = get_user_model()
    for through, field in ((user.groups, "groups"), (user.user_permissions, "user_permissions")):
        m2m_changed.connect(_Relation(user, field), sender=through.through, weak=False)
    m2m_changed.connect(_Relation(Group, "permissions"), sender=Group.permissions.through, weak=False)
    m2m_changed.connect(_Relation(Subscription, "machines"), sender=Subscription.machines.through, weak=False)
    post_log.connect(_explain_new_hash, sender=user)
    pre_delete.connect(_note_members, sender=Group)
    post_delete.connect(_note_recording, sender=Recording)
    post_save.connect(_note_import, sender=ImportRun)
    user_logged_in.connect(_note_login)
    user_logged_out.connect(_note_logout)


def hidden(value: str) -> str:
    """The text in place of a secret in the trail: not even a part of its hash."""
    return HIDDEN


def _say_who(sender, instance: LogEntry, raw: bool = False, **kwargs) -> None:
    """Read from the request only now: a token is known later than any middleware runs.

    REST framework then writes user and token to the request.
    """
    if raw or not instance._state.adding:
        return
    request = current_request()
    who = _program() if request is None else _caller(request, instance)
    instance.additional_data = who | (instance.additional_data or {})


def _program() -> dict:
    """A command, and whose process it is: nobody has logged in there. No arguments, as they may hold secrets."""
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])[:100]
    return {"command": command, "system_user": user_name()}


def _caller(request, entry: LogEntry) -> dict:
    entry.remote_addr = address_of(request)
    who = {"request": f"{request.method} {request.get_full_path()}"[:500]}
    user, token = getattr(request, "user", None), getattr(request, "auth", None)
    if user is not None and user.is_authenticated:
        entry.actor = user
        who["actor"] = user.get_username()  # stays when the user is deleted
    if isinstance(token, ApiToken):
        who["token"] = f"{token.name} ({token.token_key}…)"
    return who


class _Relation:
    """Notes what is added to and taken from a many-to-many field, at its owner whichever side it is done from.

    auditlog's own receiver would note a `clear` as if everything there is had been taken away.
    """

    def __init__(self, owner: type[Model], field: str):
        self.owner, self.field = owner, field

    def __call__(self, instance, action, reverse, model, pk_set, **kwargs):
        if action not in ("post_add", "post_remove", "pre_clear"):
            return
        if action == "pre_clear":
            relation: Any = self.owner._meta.get_field(self.field).remote_field
            name = relation.get_accessor_name() if reverse else self.field
            others = getattr(instance, name).all()
        else:
            others = model._default_manager.filter(pk__in=pk_set)
        operation = "add" if action == "post_add" else "delete"
        pairs = [(it, [instance]) for it in others] if reverse else [(instance, list(others))]
        for owner, related in pairs:
            LogEntry.objects.log_m2m_changes(related, owner, operation, self.field)


def _explain_new_hash(instance, changes, log_entry, **kwargs) -> None:
    """A login renews a hash of an older kind: the password stays the same, and the entry says so.

    It also says when a password was taken away: such a user can't log in with any.
    """
    if log_entry is None or log_entry.action != Action.UPDATE or "password" not in changes:
        return
    if not instance.has_usable_password():
        text = gettext_noop("password disabled")
    elif instance._password is None:  # `set_password` leaves the new one here until it is stored
        text = gettext_noop("the same password, hashed anew")
    else:
        return
    log_entry.additional_data |= {"note": text}
    log_entry.save(update_fields=["additional_data"])


def _note_members(instance: Group, **kwargs) -> None:
    """Note who loses a role with it: the rows between are deleted without a signal."""
    for user in instance.user_set.all():
        LogEntry.objects.log_m2m_changes([instance], user, "delete", "groups")


def _note_recording(instance: Recording, **kwargs) -> None:
    note(Action.DELETE, instance, str(instance), samples=instance.sample_count, source=instance.source)


def _note_import(instance: ImportRun, created: bool, update_fields, raw: bool = False, **kwargs) -> None:
    """An import when it begins and when it has ended; not each of its batches."""
    if raw:
        return
    if created:
        note(Action.CREATE, instance, str(instance), file_size=instance.file_size, sha256=instance.sha256)
    elif update_fields and "outcome" in update_fields:
        counts = {name: getattr(instance, name) for name in COUNTS}
        note(Action.UPDATE, instance, str(instance), outcome=instance.outcome, **counts)


def _note_login(user, **kwargs) -> None:
    note(Action.ACCESS, user, user.get_username(), event="login")


def _note_logout(user, **kwargs) -> None:
    if user is not None:
        note(Action.ACCESS, user, user.get_username(), event="logout")
