from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from vibration.models import Recording

SAMPLE_SECONDS = 20.0


class Command(BaseCommand):
    help = "Make a fresh checkout worth looking at: migrations, an administrator, synthetic samples. Repeats nothing."

    def handle(self, *args, **options):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Setting up the database ...")
            call_command("migrate", verbosity=0, stdout=self.stdout)
        call_command("create_first_admin", stdout=self.stdout)
        if Recording.objects.exists():
            return
        folder = Path(settings.BASE_DIR) / "var" / "samples"
        if not any(folder.glob("*.csv")):
            call_command("make_sample_csv", folder, seconds=SAMPLE_SECONDS, stdout=self.stdout)
        call_command("import_vibration", folder, stdout=self.stdout)
