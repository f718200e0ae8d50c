"""`make fuzz-files` and `make watch-days` in small."""

from himmes.tests.bench_world import told_by


def test_files_that_are_made_up_are_stored_right_or_refused_with_a_true_reason():
    told = told_by("fuzz_files", "--files=60", DATABASE_URL=None)
    assert told["ok"]
    assert told["files"] == 60
    assert min(told["stored"], told["refused"], told["partly"]) > 0
    assert told["wrong"] == 0


def test_of_an_hour_of_minute_files_in_watched_folders_each_row_is_accounted_for():
    told = told_by("watch_days", f"--days={1 / 24}", "--stops=1", "--idle-seconds=1", "--seed=3", DATABASE_URL=None)
    assert told["ok"]
    assert told["files"] == 3 * 60
    assert told["rows_new"] + told["rows_rejected"] == told["rows_written"]
    assert told["rows_rejected"] > 0
    assert told["machines"] == ["fan_2", "press", "pump run"]
    assert told["lagging"] == ["press: 9 h"]
