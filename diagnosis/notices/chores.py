"""What is done from time to time, by one of however many workers."""

from collections.abc import Callable
from datetime import datetime, timedelta

from common.database.transactions import Patience, in_transaction
from diagnosis.models import Chore

AHEAD = timedelta(hours=1)  # by which no two clocks of workers differ


def done_since(name: str, now: datetime, work: Callable[[datetime], None], patience: Patience | None = None) -> None:
    """Do the work for the time from when it was done last, exactly once: `work` gets that instant.

    What it writes is in one transaction with the note that it is done, and others who want to do it wait. The first
    time of all there is nothing to do.
    """

    def do() -> None:
        chore = _locked(name, now, now)
        if chore.done_up_to < now:
            work(chore.done_up_to)
            chore.done_up_to = now
            chore.save(update_fields=["done_up_to"])

    in_transaction(do, patience=patience)


def taken(name: str, every: timedelta, now: datetime, patience: Patience | None = None) -> bool:
    """Whether it is time for some work that takes long: of all who ask, one is told so. It is due at the first call."""

    def take() -> bool:
        chore = _locked(name, now - every, now)
        if chore.done_up_to > now - every:
            return False
        chore.done_up_to = now
        chore.save(update_fields=["done_up_to"])
        return True

    return in_transaction(take, patience=patience)


def _locked(name: str, since: datetime, now: datetime) -> Chore:
    """Its row. Of two who make it at the same time, one begins the transaction anew."""
    chore = Chore.objects.select_for_update().filter(name=name).first()
    if chore is None:
        return Chore.objects.create(name=name, done_up_to=since)
    if chore.done_up_to > now + AHEAD:  # so says a clock that was wrong; nothing would be done until it were right
        chore.done_up_to = min(since, now - AHEAD)
    return chore
