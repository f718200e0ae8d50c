"""Messages that were refused, kept as files for whoever mends their sender."""

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path


class RejectsFolder:
    """One file a message: a line of JSON with topic and reason, then the payload as it came.

    A message that comes again is kept once: its name is made of what it says.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, topic: str, payload: bytes, reason: str, came_at: datetime) -> Path:
        """Whole or not at all. Raises OSError."""
        digest = hashlib.sha256(topic.encode() + b"\n" + payload).hexdigest()
        path = self.folder / f"{digest[:32]}.message"
        head = {"topic": topic, "reason": reason, "came_at": came_at.isoformat()}
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            file.write(json.dumps(head, ensure_ascii=False).encode() + b"\n" + payload)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        return path
