"""The episodes of machines that were diagnosed before they were kept. Nobody is told of them."""

from collections import defaultdict

from django.conf import settings
from django.db import migrations

from diagnosis.episodes.families import family_of
from diagnosis.episodes.spans import Ending, Fold, Point
from machines.episode_rules import read_rule

SEVERITIES = [0, 1, 2, 3]  # of the states of then, by their numbers
ACTIVE, ENDED, NONE = 0, 1, 2


def fill(apps, schema_editor):
    database = schema_editor.connection.alias
    rule = read_rule(settings.EPISODE_RULE)
    for machine in apps.get_model("machines", "Machine").objects.using(database).order_by("pk"):
        folds, last = _read(apps, database, machine, rule)
        for family, fold in folds.items():
            _store(apps, database, machine, family, fold, last[family])


def _read(apps, database, machine, rule):
    diagnoses = apps.get_model("diagnosis", "VibrationDiagnosis").objects.using(database).filter(machine=machine)
    rows = diagnoses.order_by("detected_at", "model_name")
    folds, last = defaultdict(lambda: Fold(rule, SEVERITIES)), {}
    for row in rows.values_list("detected_at", "model_name", "fault_type", "confidence").iterator(chunk_size=10_000):
        point = Point._make(row)
        family = family_of(point.model)
        folds[family].add(point)
        last[family] = point
    return folds, last


def _store(apps, database, machine, family, fold, last):
    Episode = apps.get_model("diagnosis", "Episode")
    rows = {}
    for span in fold.spans:
        rows[span] = Episode.objects.using(database).create(
            machine=machine,
            family=family,
            fault_type=span.fault,
            severity=1 + SEVERITIES[span.fault],
            began_at=span.began_at,
            opened_at=span.opened_at,
            opened_by=span.opened_by,
            last_at=span.last_at,
            ended_at=span.ended_at,
            ending=span.ending.value,
            count=span.count,
            model_names=sorted(span.models),
            least_confidence=span.least_confidence,
            greatest_confidence=span.greatest_confidence,
            follows=rows.get(span.follows),
            attention={Ending.NONE: ACTIVE, Ending.CLEARED: ENDED}.get(span.ending, NONE),
        )
    apps.get_model("diagnosis", "EpisodeTail").objects.using(database).create(
        machine=machine,
        family=family,
        rule=str(fold.rule),
        last_at=last.at,
        last_model=last.model,
        window=[[it.at.isoformat(), it.model, it.state, it.confidence] for it in fold.window],
        normals=min(fold.normals, fold.rule.settled_after),
        is_active=fold.span is not None,
    )


def refuse_to_forget(apps, schema_editor):
    if apps.get_model("diagnosis", "EpisodeAct").objects.using(schema_editor.connection.alias).exists():
        raise RuntimeError(
            "What people did about episodes would be lost: acknowledgements, notes and outcomes. To go back all the "
            "same, restore a backup of before, or delete the rows of diagnosis_episode_act first."
        )


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0004_episodes")]

    operations = [migrations.RunPython(fill, refuse_to_forget)]
