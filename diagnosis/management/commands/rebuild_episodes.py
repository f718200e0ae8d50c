from django.core.management.base import CommandError

from common.terminal import TerminalCommand
from diagnosis.storage.writing import rebuild_episodes
from machines.models import Machine


class Command(TerminalCommand):
    help = (
        "Make all episodes anew from the stored diagnoses and acts. This changes nothing, unless the rule was "
        "changed (DJANGO_EPISODE_RULE). Nobody is told of what began longer ago than DJANGO_NOTICE_HOURS."
    )

    def add_arguments(self, parser):
        parser.add_argument("--machine", action="append", help="Only this one; may be given more than once.")

    def handle(self, *args, machine, **options):
        machines = Machine.objects.order_by("name")
        if machine:
            machines = machines.filter(name__in=machine)
            if unknown := sorted(set(machine) - {it.name for it in machines}):
                raise CommandError(f"There is no machine {', '.join(unknown)}.")
        changed = {it.name: rebuild_episodes(it) for it in machines}
        for name, count in changed.items():
            if count:
                self.stdout.write(f"{name}: {count:,} episodes changed")
        self.stdout.write(f"{len(changed):,} machines, {sum(changed.values()):,} episodes changed")
