"""What a made-up operator does about synthetic alarms, so that their pages show all that people can do."""

from itertools import cycle

from diagnosis.models import Episode, EpisodeAct
from diagnosis.models.episodes import Attention
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor

OPERATOR = Actor(None, "synthetic")
LEFT_ALONE = 2  # of those that have cleared, the newest
# Verdict, whether the fault was found, action taken, comment
OUTCOMES = [
    ("right", True, "커플링 정렬, 베이스 볼트 조임", "정비 뒤 진동이 정상으로 돌아옴"),
    ("false", False, "", "원료 교체 중의 일시적인 진동"),
    ("unclear", False, "", "현장에서는 이상을 찾지 못함"),
]


def act_on_samples(family: str) -> int:
    """Acts about the alarms of a family of models, unless there were some before; how many.

    What has cleared gets outcomes or is acknowledged, but for the newest ones. Of what goes on the worst is left alone,
    the next is acknowledged with a note, the third is shelved.
    """
    if EpisodeAct.objects.filter(family=family, by_name=OPERATOR.name).exists():
        return 0
    before = EpisodeAct.objects.count()
    alarms = Episode.objects.live().filter(family=family)
    cleared = list(alarms.filter(attention=Attention.ENDED).order_by("opened_at", "pk"))
    for number, (it, (verdict, is_found, action, comment)) in enumerate(
        zip(cleared[:-LEFT_ALONE], cycle(OUTCOMES), strict=False)
    ):
        if number % 2:
            acts.acknowledge(it.pk, OPERATOR, seen=it.revision, comment="다음 순회 때 점검")
        else:
            found = it.fault_type if is_found else None
            acts.close(it.pk, OPERATOR, seen=it.revision, verdict=verdict, found=found, action=action, comment=comment)
    others = alarms.filter(attention=Attention.ACTIVE).order_by("-severity", "-opened_at", "pk")[1:]
    for it, act in zip(others, (_look_after, _put_away), strict=False):
        act(it)
    return EpisodeAct.objects.count() - before


def _look_after(episode: Episode) -> None:
    acts.acknowledge(episode.pk, OPERATOR, seen=episode.revision, comment="현장 확인하러 감")
    acts.note(episode.pk, OPERATOR, comment="구동측 베어링 온도 62 ℃, 소음은 없음")


def _put_away(episode: Episode) -> None:
    acts.shelve(episode.pk, OPERATOR, seen=episode.revision, reason="베어링 주문함, 야간 정비 때 교체", minutes=8 * 60)
