from contextlib import suppress
from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from common.durations import read_duration
from common.rest.fields import TimeField, messages_of
from common.terminal import TerminalCommand
from himmes.accounts.tokens import make_token


def expiry(text: str) -> datetime:
    """`90d` from now, or an instant as the API takes it."""
    with suppress(ValueError):
        return timezone.now() + read_duration(text)
    try:
        return TimeField(measured=False).to_internal_value(text)
    except serializers.ValidationError as error:
        raise CommandError(f"--expires: {messages_of(error)[0]} Or a length of time, such as 90d.") from None


class Command(TerminalCommand):
    help = (
        "Create an API token and print it alone on standard output; it cannot be shown again. "
        "Creates the user, who cannot log in to pages, if there is none of that name."
    )

    def add_arguments(self, parser):
        parser.add_argument("username", help="the user whose token it is; one for each program is best")
        parser.add_argument("--role", required=True, help="viewer, collector, diagnoser, operator or administrator")
        parser.add_argument("--name", help="which program uses it, and where (default: the username)")
        parser.add_argument(
            "--expires", metavar="90d|ISO", help="12h, 90d or 2w from now, or an instant (default: never)"
        )

    def handle(self, *args, username, role, name, expires, **options):
        try:
            with transaction.atomic():
                text = self._make(username, role, name or username, expires)
        except ValidationError as error:
            wrong = "; ".join(f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items())
            raise CommandError(wrong) from None
        self.stdout.write(text)

    def _make(self, username: str, role: str, name: str, expires: str | None) -> str:
        group = Group.objects.filter(name=role).first()
        if group is None:
            known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"There is no role {role}. Roles: {known}")
        until = expiry(expires) if expires else None
        if until and until <= timezone.now():
            raise CommandError(f"--expires {expires} is in the past.")
        user = self._user(username)
        if not user.groups.filter(pk=group.pk).exists():
            user.groups.add(group)
            self.stderr.write(f"{username} now has the role {role}.")
        token, text = make_token(user, group, name=name, expiry=until)
        ends = timezone.localtime(token.expiry).isoformat(timespec="minutes") if token.expiry else "never"
        self.stderr.write(f"Token of {username}, role {role}, expires: {ends}. It is shown only now:")
        return text

    def _user(self, username: str):
        users = get_user_model().objects
        user = users.filter(username=username).first()
        if user is None:
            user = get_user_model()(username=username)
            user.set_unusable_password()
            user.full_clean()
            user.save()
            self.stderr.write(f"User {username} was created.")
        elif not user.is_active:
            raise CommandError(f"The user {username} is not active, so the token would not work.")
        return user
