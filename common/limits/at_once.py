"""How many costly requests of a kind a process works on at one time, so that threads are left for others."""

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
    """A place for each of the requests that may be worked on at one time."""

    def __init__(self, most: int, what: str):
        self.what = what
        self._free = BoundedSemaphore(most)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place within the block. Raises Busy when none is free: to wait for one would hold a thread."""
        if not self._free.acquire(blocking=False):
            raise Busy(f"The server is busy with {self.what} of others. Nothing was stored. Send it again.")
        try:
            yield
        finally:
            self._free.release()
