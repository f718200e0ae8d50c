"""QuerySet methods of the sample tables, and their fast bulk insert."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import polars as pl
from django.db import connections, models, transaction
from django.db.models import BinaryField, Count, Func, Max, Min, OuterRef, Q, Subquery, Sum

from common.database.keysets import FETCHED_ROWS
from common.database.transactions import in_transaction
from common.prefetching import prefetch
from machines.models import Machine, Sensor
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES

STATEMENT_ROWS = 5_000  # about 0.4 MB of SQL; MySQL's max_allowed_packet may be as low as 4 MB
TEXT_ROWS = 500  # JSON of so many is made before polars has woken its threads; its numbers, texts and null are SQL
NEWEST_FIRST = ("-last_written_at", "-pk")  # of recordings
# A point as MySQL sends it: the number of its reference system, then its well-known binary (byte order, type, x and y).
POINT = np.dtype([("srid", "<u4"), ("order", "u1"), ("type", "<u4"), ("doubles", "<f8", 2)])


class ColumnQuerySet(models.QuerySet):
    """A QuerySet whose `bulk_create` takes, beside model instances, a batch of columns.

    Of the time that a plain `bulk_create` takes on MariaDB, nine tenths are spent in Python, on making an instance for
    each row, preparing each field and escaping each value. A polars frame needs none of that: its columns are numbers,
    which are written as the text of the VALUES clause in one go, as CSV or, where there are few, as JSON (each float
    with the digits that read back as the same double). SQLite takes its rows as parameters instead, which is faster
    there. What is stored is the same either way; a test compares them.
    """

    def bulk_create(self, objs: Any, *args: Any, references_locked: bool = False, **kwargs: Any) -> Any:
        """Insert model instances as Django does, or the rows of a frame whose columns are named after fields.

        A frame's foreign keys are named with `_id`; datetimes must be naive UTC. Raises ValueError when a number is not
        finite or a value is missing where the column wants one, IntegrityError as usual. All rows are stored or none.
        `references_locked`: the rows that a frame's foreign keys name were locked in this very transaction, so they are
        there and stay, and MySQL need not look each row's up.
        """
        if not isinstance(objs, pl.DataFrame):
            if references_locked:
                raise TypeError("references_locked is for a frame")
            return super().bulk_create(objs, *args, **kwargs)
        if args or kwargs:
            raise TypeError("bulk_create of a frame takes no options")
        _check(objs, self.model)
        self._for_write = True
        connection: Any = connections[self.db]  # the stubs know no server's own attributes
        table = connection.ops.quote_name(self.model._meta.db_table)
        column_of = {it.attname: str(it.column) for it in self.model._meta.concrete_fields}
        columns = [column_of[name] for name in objs.columns]
        names = ", ".join(map(connection.ops.quote_name, columns))
        insert = f"INSERT INTO {table} ({names}) VALUES"
        with transaction.atomic(using=self.db, savepoint=False), connection.cursor() as cursor:
            if connection.vendor == "mysql":
                if references_locked:
                    insert = _without_lookups(insert, connection.mysql_is_mariadb)
                # The text of a statement is made while the server is at work on the one before.
                parts = map(_values_clause, objs.iter_slices(STATEMENT_ROWS))
                for values in prefetch(parts) if len(objs) > STATEMENT_ROWS else parts:
                    cursor.execute(f"{insert} {values}")
            else:
                marks = ", ".join(["%s"] * len(columns))
                texts = [_datetime_text(column) for column in objs if column.dtype == pl.Datetime]
                cursor.executemany(f"{insert} ({marks})", objs.with_columns(texts).rows())
        return objs


def _check(frame: pl.DataFrame, model: type[models.Model]) -> None:
    """What Django's field preparation would have refused, and what a database would store as something else."""
    for name, dtype in frame.schema.items():
        if not (dtype.is_numeric() or dtype == pl.Datetime):
            # Text would need escaping, and nothing here writes text.
            raise TypeError(f"{name}: no way to write {dtype} as SQL")
    for column in frame:
        if column.null_count() and not model._meta.get_field(column.name).null:
            raise ValueError(f"{column.name}: a value is missing")
        if column.dtype.is_float() and not np.isfinite(column.to_numpy()).all():
            raise ValueError(f"{column.name}: a value is not finite")


def _without_lookups(insert: str, is_mariadb: bool) -> str:
    """An INSERT that does not look up its foreign keys; a setting of this one statement, not of the connection."""
    if is_mariadb:
        return f"SET STATEMENT foreign_key_checks = 0 FOR {insert}"
    return insert.replace("INSERT", "INSERT /*+ SET_VAR(foreign_key_checks = OFF) */", 1)


def _datetime_text(column: pl.Series) -> pl.Series:
    """As Django writes a datetime on SQLite: str(datetime), that is without a fraction of zero."""
    return column.dt.strftime("%Y-%m-%d %H:%M:%S%.6f").str.strip_suffix(".000000").alias(column.name)


def _values_clause(frame: pl.DataFrame) -> str:
    if len(frame) < TEXT_ROWS:
        rows = msgspec.json.encode(frame.rows())[2:-2].decode()
        return f"({rows.replace('],[', '),(')})"
    # 0.5 is a decimal to MariaDB, which it turns into a double in a second step; 5e-1 is one at once.
    text = frame.write_csv(
        include_header=False,
        quote_style="never",
        null_value="NULL",
        float_scientific=True,
        datetime_format="'%Y-%m-%d %H:%M:%S%.6f'",
        line_terminator="),(",
    )
    return f"({text.removesuffix(',(')}"


def _doubles(queryset: models.QuerySet, names: list[str], limit: int | None) -> np.ndarray:
    """Fields that hold doubles and no NULL, float64 (n, len(names)).

    MySQL answers in text: to write a double as decimals and to read it again takes both ends several times what reading
    the row takes. The binary form of a point holds two doubles as they are, so two fields are asked for as a point.
    """
    if connections[queryset.db].vendor != "mysql":
        rows = queryset.values_list(*names)[:limit]
        return np.fromiter(chain.from_iterable(rows), np.float64).reshape(-1, len(names))
    even = [*names, *names[-1:]] if len(names) % 2 else names
    pairs = zip(even[::2], even[1::2], strict=True)
    points = [Func(*pair, function="POINT", output_field=BinaryField()) for pair in pairs]
    parts = [b"".join(chain.from_iterable(rows)) for rows in _fetched(queryset.values_list(*points)[:limit])]
    doubles = np.frombuffer(b"".join(parts), POINT)["doubles"]
    return doubles.reshape(-1, len(even))[:, : len(names)]


def _fetched(queryset: models.QuerySet) -> Iterator[list[tuple]]:
    """The rows of a values_list queryset on MySQL, some at a time.

    MySQL's client by default waits for the last row before it turns the first one into Python; reading as they come,
    server and client work at the same time. The rows must be read to the end before the connection is used for anything
    else, so this stays in here.
    """
    from MySQLdb.cursors import SSCursor  # comes with requirements-mysql.txt only

    connection = connections[queryset.db]
    sql, params = queryset.query.get_compiler(queryset.db).as_sql()
    connection.ensure_connection()
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(connection.connection.cursor(SSCursor)) as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(FETCHED_ROWS):
            yield rows


class VibrationDataQuerySet(ColumnQuerySet):
    def of(self, recording):
        return self.filter(recording=recording)

    def in_window(self, start: float, end: float):
        """Samples with start <= measured_time < end, in seconds."""
        return self.filter(measured_time__gte=start, measured_time__lt=end)

    def as_samples(self, limit: int | None = None) -> Samples:
        """In rising order of time, without when they were collected; the first `limit` of them if given."""
        numbers = _doubles(self.order_by("measured_time"), ["measured_time", *STATES], limit)
        return Samples(numbers[:, 0], numbers[:, 1:])


class VibrationRollupQuerySet(ColumnQuerySet):
    def of(self, recording, level: int):
        return self.filter(recording=recording, level=level)

    def in_range(self, first: int, last: int):
        """Buckets with first <= index <= last."""
        return self.filter(bucket__gte=first, bucket__lte=last)


class RecordingQuerySet(models.QuerySet):
    def delete(self):
        """Holding the locks that writers take: a sample written in the meantime would keep its recording from going."""

        def delete():
            list(self.order_by("pk").select_for_update().values_list("pk"))
            return super(RecordingQuerySet, self).delete()

        return in_transaction(delete)

    def with_place(self):
        """With sensor and machine at hand, in the order in which people look for them."""
        return self.select_related("sensor__machine").order_by("sensor__machine__name", "sensor__sensor_no", "name")

    def newest_first(self):
        """The one that was written last stands first."""
        return self.order_by(*NEWEST_FIRST)

    def of_machine(self, name: str):
        return self.filter(sensor__machine__name=name)

    def newest_by_machine(self) -> dict[int, tuple]:
        """Of each machine, by primary key: when its newest sample was taken, if known, and when it was stored last."""
        rows = self.order_by().values_list("sensor__machine")
        return {pk: times for pk, *times in rows.annotate(Max("last_collected_at"), Max("last_written_at"))}

    def taken_between(self, start, end):
        """Those that may have samples with start <= collected_at <= end."""
        return self.filter(started_at__lte=end, last_collected_at__gte=start)

    def machines(self):
        """Name and title of each machine that has a recording, by name.

        One is looked for by index, machine by machine. A join or EXISTS, which MariaDB makes one, reads each recording.
        """
        one = self.order_by().filter(sensor__machine=OuterRef("pk")).values("pk")[:1]
        recorded = Machine.objects.alias(recording=Subquery(one)).filter(recording__isnull=False)
        return recorded.order_by("name").values_list("name", "title")


def newest_of_axis(rows: models.QuerySet, sensor: Sensor | int, axis: str) -> models.QuerySet:
    """Of rows under the key (sensor, axis, started_at) those of one axis of a sensor, newest first.

    Told that a column equals something, MariaDB finds no index for an order that names the column. Told a range of one
    value it does, as in `VibrationDiagnosisQuerySet.of_machine`. SQLite reads on from a range of the first column.
    """
    if connections[rows.db].vendor != "mysql":
        return rows.filter(sensor=sensor, axis=axis).order_by("-started_at", "-sensor_id", "-axis")
    found = rows.filter(sensor__gte=sensor, sensor__lte=sensor, axis__gte=axis, axis__lte=axis)
    return found.order_by("-sensor_id", "-axis", "-started_at")


class CaptureQuerySet(models.QuerySet):
    def of_axis(self, sensor: Sensor | int, axis: str):
        """Those of one axis of a sensor, newest first; the first ones from any bound on cost their number."""
        return newest_of_axis(self, sensor, axis)

    def with_axis(self, axis: str):
        """Those of an axis of this name, in the order that they have; a range for the same reason."""
        is_mysql = connections[self.db].vendor == "mysql"
        return self.filter(axis__gte=axis, axis__lte=axis) if is_mysql else self.filter(axis=axis)

    def without_samples(self):
        """All but the samples, which are larger than all else together."""
        return self.defer("data")

    def with_samples(self):
        """Those whose samples were not removed."""
        # For `= True` Django writes the name of the column alone, for which SQLite takes no index.
        return self.filter(has_samples__in=[True])

    def amounts(self):
        """Of each sensor: its number, how many there are, bytes of samples, those that people keep, and the oldest."""
        # Not in the order of the model, which would group by it.
        rows = self.order_by().values_list("sensor")
        kept = Count("pk", filter=Q(is_kept=True))
        return rows.annotate(captures=Count("pk"), bytes=Sum("size"), kept=kept, since=Min("started_at"))

    def with_place(self):
        """With sensor and machine at hand."""
        return self.select_related("sensor__machine")

    def newest_first(self):
        return self.order_by("-started_at", "-sensor_id", "-axis")


class CaptureAxisQuerySet(models.QuerySet):
    def newest_by_machine(self) -> dict[int, tuple]:
        """Of each machine, by primary key: when its newest capture started, and when one was stored last."""
        rows = self.order_by().values_list("sensor__machine")
        return {pk: times for pk, *times in rows.annotate(Max("newest_at"), Max("stored_at"))}
