"""`make bench-captures` in small, on one database."""

from himmes.tests.bench_world import told_by


def test_captures_are_posted_read_and_weighed_beside_rows_and_files(tmp_path):
    address = f"sqlite:///{tmp_path / 'bench.sqlite3'}"
    told = told_by("bench_captures.engine", "--posts=4", "--seconds=1", DATABASE_URL=address)
    assert told["float32_exact_captures"] == told["int16_exact_captures"] == 4 * 3
    # However little is stored, it takes less than each way that keeps numbers as they are.
    for kind, size in (("float32", 4), ("int16", 2)):
        assert told[f"{kind}_bytes_per_sample"] < size < told["plain_rows_bytes_per_sample"]
        assert size <= told[f"npy_{kind}_bytes_per_sample"] < size + 0.01
        for what in ("p95_ms", "cpu_ms", "read_samples_p95_ms", "read_spectrum_p95_ms"):
            assert told[f"{kind}_{what}"] > 0
    assert told["steady_memory_last_quarter_MB"] > 0
    assert told["steady_axes_per_second"] > 0
