import secrets

from django.contrib.auth import get_user_model
from django.db import transaction

from common.terminal import TerminalCommand
from himmes.accounts.initial_passwords import give_initial_password


class Command(TerminalCommand):
    help = (
        "Create an administrator with a generated password, which is printed once, unless there is one already. "
        "A new password has to be chosen at the first login."
    )

    def add_arguments(self, parser):
        parser.add_argument("--username", default="admin", help="best the name of a person (default: admin)")

    def handle(self, *args, username, **options):
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(15)
        with transaction.atomic():
            give_initial_password(users.create_superuser(username, password=password))
        self.stdout.write(
            f"Administrator: {username}   password: {password}   (shown only now; change it at first login)"
        )
