"""gunicorn's settings, which it reads by itself when it is started here: `gunicorn`.

It listens on 127.0.0.1:8000 or, if PORT is set, on that port of all addresses. GUNICORN_CMD_ARGS and the command line
overrule what stands here.
"""

import gc
import os
import shutil
import tempfile
from pathlib import Path

from himmes.operations.logs import logging_config

wsgi_app = "himmes.wsgi:application"
# Processes, as of the threads of one only one computes at a time. Each thread keeps a connection to the database open.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Requests come to the threads as a whole: who sends or reads slowly holds a connection, and no thread.
worker_class = "himmes.serving.worker.BufferedWorker"
threads = 4
worker_connections = 500  # of each process; those that wait longest make room for new ones
# The time to finish an upload when the server is to end. A thread at work is not ended by `timeout`, only a process
# that stands still.
timeout = graceful_timeout = 60
keepalive = 75  # longer than a load balancer keeps an idle connection (60 s), or it would write to a closed one
# Where each process shows that it lives: in memory, as writing to a busy disk can take longer than `timeout`.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  gunicorn makes files of its own there
control_socket_disable = True
# Whether a request came over HTTPS is for Django to say, by DJANGO_BEHIND_PROXY.
secure_scheme_headers = {}
# None: by default gunicorn takes SCRIPT_NAME and PATH_INFO from headers, that is another path than the proxy saw. Empty
# text, as its validator takes no list.
forwarder_headers = ""
logconfig_dict = logging_config(debug=False)


def on_starting(server):
    # Where the processes count for /metrics, each in files of its own that are added up; in memory, and new each time.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="himmes-metrics-", dir=worker_tmp_dir)


def post_worker_init(worker):
    # What there is by now stays until the end: to look through it again and again for cycles took a list of 1,000 rows
    # a fifth of its time.
    gc.collect()
    gc.freeze()


def child_exit(server, worker):
    from prometheus_client.multiprocess import mark_process_dead  # not before the variable is set

    mark_process_dead(worker.pid)


def on_exit(server):
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
