from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from common.terminal import TerminalCommand
from vibration.models import Capture, ImportRun, Recording

SAMPLE_SECONDS = 20.0
SAMPLE_RECORDING = "synthetic"
SAMPLE_CAPTURES_EVERY_H = 12


class Command(TerminalCommand):
    help = "Make a fresh checkout worth looking at: migrations, an administrator, synthetic data. Repeats nothing."

    def handle(self, *args, **options):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Setting up the database ...")
            call_command("migrate", verbosity=0, stdout=self.stdout)
        self._make_samples()
        # Last, so that the password stands at the end of what has been said.
        call_command("create_first_admin", stdout=self.stdout)

    def _make_samples(self):
        if ImportRun.objects.exists() or Recording.objects.exists() or Capture.objects.exists():
            return  # also when everything was deleted since: made-up samples must not come back into real ones
        folder = Path(settings.BASE_DIR) / "var" / "samples"
        if not any(folder.glob("*.csv")):
            call_command("make_sample_csv", folder, seconds=SAMPLE_SECONDS, stdout=self.stdout)
        # Under a name of their own, so that real files of the same machines and sensors don't meet them.
        call_command("import_vibration", folder, recording=SAMPLE_RECORDING, stdout=self.stdout)
        call_command("make_sample_captures", every_hours=SAMPLE_CAPTURES_EVERY_H, stdout=self.stdout)
        call_command("make_sample_diagnoses", stdout=self.stdout)
