"""Fill an empty database with a small made-up plant in which every state shows; its pictures go into the documents.

    python -m scripts.sample_plant FOLDER

The last line of its output is the session key of a viewer. FOLDER takes the synthetic CSV files. All is made up: the
samples are those of make_sample_csv, of two machines; the real data is not to be published.
"""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
django.setup()

import numpy as np  # noqa: E402  Django first
from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from diagnosis.history.reading import microseconds  # noqa: E402
from diagnosis.models import Episode  # noqa: E402
from diagnosis.states import FaultType  # noqa: E402
from diagnosis.storage import acts  # noqa: E402
from diagnosis.storage.acts import Actor  # noqa: E402
from diagnosis.storage.writing import post_diagnoses  # noqa: E402
from diagnosis.synthetic import make_confidences, make_states  # noqa: E402
from machines.models import Machine, Sensor  # noqa: E402
from vibration.management.sample_captures import Place, make_captures  # noqa: E402
from vibration.signals.synthetic import Story  # noqa: E402
from vibration.signals.units import Unit  # noqa: E402

RATED_RPM = 1_650  # 27.5 Hz, the tone of the synthetic samples
RECORDED_BEFORE = timedelta(minutes=22.5)  # so that a diagnosis falls into the 140 s of the recordings
DAYS, PER_DAY = 7, 200
MODEL = "cnn-v3"
POSITIONS = ("모터 반부하측", "모터 부하측", "펌프 부하측", "펌프 반부하측")


class Sample(NamedTuple):
    """A machine, and in which state its diagnoses end; `state` is None where there are none."""

    name: str
    title: str
    location: str
    state: FaultType | None
    hours: float  # how long it has been so
    age_hours: float = 0  # of the newest diagnosis
    before: FaultType | None = None  # in which state it was for as long before; None: it changed by chance


PLANT = [
    Sample("g1", "급수 펌프 1호기", "보일러동 1층", FaultType.UNBALANCE, 5.5),
    Sample("g2", "급수 펌프 2호기", "보일러동 1층", FaultType.NORMAL, 31),
    Sample("g3", "급수 펌프 3호기", "보일러동 1층", FaultType.UNBALANCE_LOOSENESS, 2.7, before=FaultType.UNBALANCE),
    Sample("cwp1", "냉각수 펌프 1호기", "냉각탑", FaultType.NORMAL, 52),
    Sample("cwp2", "냉각수 펌프 2호기", "냉각탑", FaultType.LOOSENESS, 2.2),
    Sample("fan1", "송풍기 1호기", "집진실", FaultType.NORMAL, 12),
    Sample("fan2", "송풍기 2호기", "집진실", FaultType.NORMAL, 8, age_hours=5),
    Sample("comp1", "공기 압축기 1호기", "유틸리티동", FaultType.NORMAL, 76),
    Sample("mix1", "교반기 1호기", "2공장 배합실", FaultType.UNBALANCE, 14),
    Sample("conv1", "컨베이어 감속기 1호기", "2공장 출하장", FaultType.NORMAL, 20),
    Sample("vac1", "진공 펌프 1호기", "2공장 포장실", FaultType.NORMAL, 3.5),
    Sample("crush1", "분쇄기 1호기", "2공장 원료실", None, 0),
]
CAPTURED, CAPTURED_EVERY = "accel1", timedelta(hours=6)
PLACES = [
    Place("g1", CAPTURED, Story.UNBALANCE),
    Place("cwp2", CAPTURED, Story.LOOSENESS),
    Place("fan1", CAPTURED, Story.MOVED, Unit.M_S2),
    Place("comp1", CAPTURED, Story.DEAD, Unit.M_S2),
]


def add_machines() -> None:
    for it in PLANT:
        Machine.objects.create(name=it.name, title=it.title, location=it.location, rated_rpm=RATED_RPM)


def add_samples(folder: Path, now: datetime) -> None:
    call_command("make_sample_csv", folder, stdout=sys.stderr)
    call_command("import_vibration", folder, started_at=now - RECORDED_BEFORE, stdout=sys.stderr)
    for sensor in Sensor.objects.order_by("pk"):
        sensor.position = POSITIONS[int(sensor.sensor_no.removeprefix("sensor")) - 1]
        sensor.save()


def add_captures(now: datetime) -> None:
    sum(make_captures(PLACES, end=now, every=CAPTURED_EVERY, seed=1, kept_for=settings.KEEP_CAPTURES))
    Sensor.objects.filter(sensor_no=CAPTURED).update(position=POSITIONS[1])


def add_diagnoses(now: datetime) -> None:
    count = DAYS * PER_DAY
    hours_before = np.arange(count)[::-1] * 24 / PER_DAY
    for number, it in enumerate(PLANT):
        if it.state is None:
            continue
        random = np.random.default_rng(number)
        states, confidences = make_states(count, DAYS * 24, random), make_confidences(count, random)
        if it.before is not None:
            states[hours_before <= 2 * it.hours] = it.before
        states[hours_before <= it.hours] = it.state
        kept = hours_before >= it.age_hours
        at = (microseconds(now) - (hours_before[kept] * 3_600e6).astype(np.int64)).astype("datetime64[us]")
        post_diagnoses(
            {
                "machine_name": [it.name] * len(at),
                "detected_at": at,
                "fault_type": states[kept].tolist(),
                "model_name": [MODEL] * len(at),
                "confidence": confidences[kept],
            }
        )


def add_acts(now: datetime) -> None:
    """What people did about the alarms, each at a time of its own."""
    kim, lee = Actor(None, "김정비"), Actor(None, "이운전")
    alarms = Episode.objects.live().order_by("opened_at")
    cleared = alarms.filter(ended_at__isnull=False, ending="cleared")
    for number, it in enumerate(list(cleared)[:-2]):
        hours = timedelta(hours=1 + number % 5)
        with _at(min(now, it.opened_at + hours)):
            acts.acknowledge(it.pk, (kim, lee)[number % 2], seen=_seen(it), comment="현장 확인하러 감")
        if number % 3 < 2:
            right = number % 3 == 0
            with _at(min(now, max(it.ended_at, it.opened_at + hours) + timedelta(hours=1))):
                acts.close(
                    it.pk,
                    kim,
                    seen=_seen(it),
                    verdict="right" if right else "false",
                    found=it.fault_type if right else None,
                    action="커플링 정렬, 베이스 볼트 조임" if right else "",
                    comment="" if right else "원료 교체 중의 일시적인 진동",
                )
    going_on = {it.machine.name: it for it in alarms.filter(ended_at=None).select_related("machine")}
    with _at(now - timedelta(hours=11)):
        acts.acknowledge(going_on["mix1"].pk, lee, seen=_seen(going_on["mix1"]), comment="현장 확인하러 감")
    with _at(now - timedelta(hours=9)):
        acts.note(going_on["mix1"].pk, kim, comment="구동측 베어링 온도 62 ℃, 소음은 없음")
    with _at(now - timedelta(hours=1)):
        reason = "베어링 주문함, 야간 정비 때 교체"
        acts.shelve(going_on["cwp2"].pk, kim, seen=_seen(going_on["cwp2"]), reason=reason, minutes=480)


def _at(instant: datetime):
    return patch("django.utils.timezone.now", lambda: instant)


def _seen(episode: Episode) -> int:
    return Episode.objects.values_list("revision", flat=True).get(pk=episode.pk)


def log_in() -> str:
    user = get_user_model().objects.create_user("operator")
    user.groups.add(Group.objects.get(name="viewer"))
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def main(folder: Path) -> None:
    call_command("migrate", verbosity=0)
    now = timezone.now().replace(microsecond=0)
    add_machines()
    add_samples(folder, now)
    add_captures(now)
    add_diagnoses(now)
    add_acts(now)
    print(log_in())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
