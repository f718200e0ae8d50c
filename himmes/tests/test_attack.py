"""`make attack` in small: fewer clients for a shorter time, without the proxy, on this engine."""

from django.db import connection

from himmes.tests.bench_world import told_by


def test_slow_endless_and_costly_requests_keep_nobody_from_working(tmp_path):
    # The machine may be busy with other tests: only what hangs fails here, `make attack` looks at seconds.
    bounds = ["--health-seconds=30", "--post-seconds=40", "--endless-bytes=30000000", "--bomb-times=20"]
    own = {"DATABASE_URL": f"sqlite:///{tmp_path}/attacked.sqlite3"} if connection.vendor == "sqlite" else {}
    told = told_by("attack", "--seconds=1", "--clients=20", "--no-proxy", "--api-only", *bounds, **own)
    assert told["ok"]
    kinds = told["kinds"]
    assert len(kinds) == 14
    assert all(told["posts"] > 0 for name, told in kinds.items() if name != "foreign files")
