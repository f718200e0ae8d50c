"""The tail of a recording: its newest samples, which are not summed up in rollups yet.

To bring the rollups of all levels up to date takes longer than to insert a list of 200 samples. So a short list that
continues a recording is left as it is, until there are `TAIL_SAMPLES`; then all are summed up but those of the last
bucket, which more will come into. Where the tail begins is said by `Recording.tail_from`, always the edge of a base
bucket, and changes with the rollups in one transaction. Whoever reads rollups sums up the tail himself, see rollups.py.
"""

import numpy as np

from vibration.models import Recording, VibrationRollup
from vibration.numbers.buckets import Buckets, bucket, narrower, summarise
from vibration.storage.pieces import read_pieces
from vibration.storage.rollups import replace_rollups

TAIL_SAMPLES = 4_000  # a reader takes some 5 ms for so many


def has_room(recording: Recording, count: int) -> bool:
    """Whether so many samples more may stay in the tail, if there is one."""
    return recording.tail_from is not None and recording.tail_count + count <= TAIL_SAMPLES


def add_rollups(recording: Recording, first: int, buckets: Buckets, *, added: int) -> int:
    """Store base buckets as all that there are from `first` on; how many samples are in the fullest.

    After a short list, of so many samples `added`, the last bucket is left as the tail, unless it is the only one. The
    recording is not saved.
    """
    recording.tail_from, recording.tail_count = None, 0
    if len(buckets) > 1 and max(added, buckets.count[-1]) <= TAIL_SAMPLES:
        recording.tail_from, recording.tail_count = int(buckets.index[-1]), int(buckets.count[-1])
        buckets = buckets.part(0, -1)
    replace_rollups(recording, first, int(buckets.index[-1]), buckets)
    return int(buckets.count.max())


def change_rollups(recording: Recording, first: int, last: int, buckets: Buckets) -> int:
    """Store base buckets as all that there are from `first` to `last`, without those of the tail.

    How many samples are in the fullest. The recording is not saved.
    """
    if recording.tail_from is not None:
        last = min(last, recording.tail_from - 1)
        buckets = buckets.part(0, int(np.searchsorted(buckets.index, recording.tail_from)))
    if not len(buckets):
        return 0
    replace_rollups(recording, first, last, buckets)
    return int(buckets.count.max())


def roll_up(recording: Recording) -> None:
    """Store rollups of the tail, so that there is none.

    The caller holds the recording's lock, and saves the recording.
    """
    if recording.tail_from is not None:
        fullest = _sum_up(recording, recording.tail_from)
        recording.tail_from, recording.tail_count = None, 0
        keep_buckets_small(recording, fullest)


def keep_buckets_small(recording: Recording, fullest: int) -> None:
    """Make all rollups anew with narrower buckets when one has grown too full. The recording is not saved."""
    if recording.pruned_before:
        return  # buckets whose samples are gone can't be divided; to sum up a full one at each write is slow, not wrong
    while (exponent := narrower(recording.rollup_exponent, fullest)) != recording.rollup_exponent:
        recording.rollup_exponent = exponent
        recording.tail_from, recording.tail_count = None, 0
        VibrationRollup.objects.filter(recording=recording).delete()
        fullest = _sum_up(recording, bucket(recording.first_time, exponent))


def _sum_up(recording: Recording, first: int) -> int:
    """Store rollups of all samples from base bucket `first` on; how many are in the fullest bucket."""
    fullest, exponent = 0, recording.rollup_exponent
    last = bucket(recording.last_time, exponent)
    for piece in read_pieces(recording, first, last):
        if len(piece.samples):
            buckets = summarise(piece.samples, exponent)
            replace_rollups(recording, piece.first, piece.last, buckets)
            fullest = max(fullest, int(buckets.count.max()))
    return fullest
