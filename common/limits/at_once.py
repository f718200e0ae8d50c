"""How many expensive requests of a kind a process handles at once, so that threads are left for the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from rest_framework import status
from rest_framework.exceptions import APIException


class Busy(APIException):
    """Answered with Retry-After, as `wait` is set."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    wait = 5  # seconds


class AtOnce:
    """Slots for the requests that may be handled at one time."""

    def __init__(self, most: int, what: str):
        self.what = what
        self._free = BoundedSemaphore(most)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot within the block. Raises Busy when none is free: waiting for one would hold a thread."""
        if not self._free.acquire(blocking=False):
            raise Busy(f"The server is busy with {self.what} of others. Nothing was stored. Send it again.")
        try:
            yield
        finally:
            self._free.release()
