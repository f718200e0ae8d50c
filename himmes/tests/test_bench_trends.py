"""`make bench-trends` in small, on one database."""

from himmes.tests.bench_world import told_by


def test_trends_and_waterfalls_are_measured_at_each_size_and_beside_pandas(tmp_path):
    address = f"sqlite:///{tmp_path / 'bench.sqlite3'}"
    uncollected = {"DJANGO_SETTINGS_MODULE": "bench.api_settings"}  # collecting static files takes half a minute
    small = ["--features=100000", "--days=24", "--requests=2", "--pairs=2"]
    told = told_by("bench_trends.engine", *small, DATABASE_URL=address, **uncollected)
    # The whole history of the machine, and the same with others beside it
    assert 10_000 <= told["features_1"] < 12_000
    assert 90_000 < told["features_2"] < 110_000
    for cost in ("trend_1_day_x_3", "trend_20_days_x_3", "numbers_20_days_x_3", "waterfall_500_captures"):
        assert told[f"{cost}_ms_1"] > 0
        assert told[f"{cost}_ms_growth"] > 0
    for cost in ("trend_90_days_x_3", "trend_5_years_x_3", "waterfall_5_years", "spectrum_10_s"):
        assert told[f"{cost}_ms"] > 0
    assert 0 < told["trend_5_years_x_3_bytes"] < 120_000
    for figure in ("pandas_5_years_over_ours", "parquet_5_years_over_ours", "post_ms", "post_without_ms"):
        assert told[figure] > 0
