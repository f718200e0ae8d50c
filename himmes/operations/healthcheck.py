"""Checks that the server in this container answers: python -m himmes.operations.healthcheck"""

import os
import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_S = 4


def problem(port: int) -> str:
    """What is wrong with the server on this port of this machine; empty if nothing is."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"no answer on port {port}: {error}"
    finally:
        connection.close()
    return "" if status == 200 else f"/healthz answered {status}"


if __name__ == "__main__":
    sys.exit(problem(int(os.environ.get("PORT", "8000"))) or None)
