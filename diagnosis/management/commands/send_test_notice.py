from django.core.management.base import CommandError
from django.utils import translation

from common.terminal import TerminalCommand
from diagnosis.models import Subscription
from diagnosis.notices.messages import NotSent
from diagnosis.notices.sending import send_test


class Command(TerminalCommand):
    help = "Send a test notice now, to one subscription or to all of a user, and say what happened to each."

    def add_arguments(self, parser):
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--user", metavar="NAME", help="to all subscriptions of this user")
        which.add_argument("--subscription", type=int, metavar="NUMBER", help="to this one")

    def handle(self, *args, user, subscription, **options):
        wanted = {"user__username": user} if user else {"pk": subscription}
        found = list(Subscription.objects.filter(**wanted).select_related("user").order_by("pk"))
        if not found:
            whose = f"User {user} has no subscription." if user else f"There is no subscription {subscription}."
            raise CommandError(f"{whose} Subscriptions are made on the page Notices.")
        with translation.override("en"):  # as all that commands say; the notices are in the language of each
            failures = sum(not self._send(it) for it in found)
        if failures:
            raise CommandError(f"{failures} of {len(found)} test notices could not be sent.")

    def _send(self, subscription: Subscription) -> bool:
        name = f"Subscription {subscription.pk} ({subscription.user}, {subscription.channel})"
        try:
            send_test(subscription)
        except NotSent as error:
            self.stdout.write(f"{name}: not sent. {error}")
            return False
        self.stdout.write(f"{name}: sent.")
        return True
