"""What the errors of the databases are taken for, and which of them are tried again."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import (
    DatabaseError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper

from common.database import transactions
from common.database.connections import discard_all
from common.database.errors import (
    DATABASE_ERRORS,
    Trouble,
    UnknownCommit,
    is_duplicate,
    is_lost_reference,
    is_undone,
    mark_undone,
    trouble_of,
)
from common.database.transactions import ATTEMPTS, Patience, in_transaction
from machines.models import Machine, Sensor


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (OperationalError(2002, "Can't connect to server on '127.0.0.1' (115)"), Trouble.AWAY),
        (OperationalError(2003, "Can't connect to MySQL server"), Trouble.AWAY),
        (OperationalError(2005, "Unknown server host"), Trouble.AWAY),
        (OperationalError(2006, "Server has gone away"), Trouble.AWAY),
        (OperationalError(2013, "Lost connection to server during query"), Trouble.AWAY),
        (OperationalError(2055, "Lost connection to server at 'reading'"), Trouble.AWAY),
        (InterfaceError(0, ""), Trouble.AWAY),
        (OperationalError(1040, "Too many connections"), Trouble.AWAY),
        (OperationalError(1053, "Server shutdown in progress"), Trouble.AWAY),
        (OperationalError(1927, "Connection was killed"), Trouble.AWAY),
        (OperationalError(4031, "The client was disconnected by the server because of inactivity."), Trouble.AWAY),
        (OperationalError(1205, "Lock wait timeout exceeded"), Trouble.BUSY),
        (OperationalError(1213, "Deadlock found"), Trouble.BUSY),
        (OperationalError(1290, "running with the --read-only option"), Trouble.READ_ONLY),
        (OperationalError(1836, "Running in read-only mode"), Trouble.READ_ONLY),
        (OperationalError(1021, "Disk full"), Trouble.FULL),
        (OperationalError(1114, "The table 'vibration_data' is full"), Trouble.FULL),
        (InternalError(3, "Error writing file 'x' (Errcode: 28 \"No space left on device\")"), Trouble.FULL),
        (OperationalError(1030, 'Got error 28 "No space left on device" from storage engine InnoDB'), Trouble.FULL),
        (OperationalError("database is locked"), Trouble.BUSY),
        (OperationalError("database or disk is full"), Trouble.FULL),
        (OperationalError("disk I/O error"), Trouble.AWAY),
        (OperationalError("unable to open database file"), Trouble.AWAY),
        (OperationalError("attempt to write a readonly database"), Trouble.READ_ONLY),
        (OperationalError(1054, "Unknown column 'x' in 'field list'"), None),
        (OperationalError(1045, "Access denied for user"), None),
        (OperationalError("no such table: x"), None),
        (IntegrityError(1062, "Duplicate entry '28' for key 'PRIMARY'"), None),
        (InterfaceError("Error binding parameter 1: type 'dict' is not supported"), None),
        (ProgrammingError(1064, "You have an error in your SQL syntax"), None),
        (ValueError("2006"), None),
        (DatabaseError(), None),
        (None, None),
    ],
)
def test_an_error_is_taken_for_what_it_is(error, trouble):
    assert trouble_of(error) is trouble


def gone() -> Exception:
    """As the driver itself tells of a connection that is closed; Django does not translate it everywhere."""
    if connection.vendor == "mysql":
        return connection.Database.OperationalError(2006, "")
    return connection.Database.ProgrammingError("Cannot operate on a closed database.")


def test_an_error_of_the_driver_itself_counts_like_that_of_django():
    error = gone()
    assert not isinstance(error, Error)
    assert isinstance(error, DATABASE_ERRORS)
    assert trouble_of(error) is Trouble.AWAY
    assert trouble_of(connection.Database.OperationalError(1213, "Deadlock found")) is Trouble.BUSY
    assert trouble_of(connection.Database.InterfaceError(0, "")) is Trouble.AWAY
    assert not is_undone(connection.Database.OperationalError(2006, ""))
    mark_undone(error)
    assert is_undone(error)


@pytest.mark.django_db(transaction=True)
def test_what_comes_of_a_connection_that_was_closed_is_an_absence():
    """A cursor that is closed after it failed raises an error of the driver, as Django lets it."""
    Machine.objects.count()
    connection.connection.close()
    assert trouble_of(raised(Machine.objects.count)) is Trouble.AWAY
    discard_all()

    def closed_within():
        with transaction.atomic():
            connection.close()
            Machine.objects.count()

    error = raised(closed_within)
    assert trouble_of(error) is Trouble.AWAY
    assert not isinstance(error, Error) or connection.vendor == "sqlite"
    discard_all()


@pytest.mark.parametrize(
    ("error", "is_lost", "is_twice"),
    [
        (IntegrityError(1452, "Cannot add or update a child row: a foreign key constraint fails"), True, False),
        (IntegrityError(1216, "Cannot add or update a child row: a foreign key constraint fails"), True, False),
        (IntegrityError(1451, "Cannot delete or update a parent row: a foreign key constraint fails"), True, False),
        (IntegrityError(1217, "Cannot delete or update a parent row: a foreign key constraint fails"), True, False),
        (IntegrityError("FOREIGN KEY constraint failed"), True, False),
        (IntegrityError(1062, "Duplicate entry 'g1' for key 'name'"), False, True),
        (IntegrityError("UNIQUE constraint failed: machines_machine.name"), False, True),
        (IntegrityError(1048, "Column 'name' cannot be null"), False, False),
        (IntegrityError("NOT NULL constraint failed: machines_machine.name"), False, False),
        (IntegrityError(4025, "CONSTRAINT `x` failed"), False, False),
        (IntegrityError(), False, False),
        (OperationalError(1452, "foreign key constraint failed"), False, False),
        (ValueError("UNIQUE constraint failed"), False, False),
    ],
)
def test_what_a_constraint_refuses_is_told_apart(error, is_lost, is_twice):
    assert (is_lost_reference(error), is_duplicate(error)) == (is_lost, is_twice)


@pytest.mark.django_db(transaction=True)
def test_what_the_constraints_of_this_database_refuse_is_told_apart():
    machine = Machine.objects.create(name="g1")
    assert is_duplicate(raised(lambda: Machine.objects.create(name="g1")))
    assert is_lost_reference(raised(lambda: Sensor.objects.create(machine_id=machine.pk + 1, sensor_no="1")))
    neither = raised(lambda: Machine.objects.create(name=None))
    assert isinstance(neither, IntegrityError)
    assert not is_duplicate(neither)
    assert not is_lost_reference(neither)


def raised(work) -> BaseException:
    with pytest.raises(Exception) as found:
        work()
    return found.value


def test_an_error_that_came_of_an_absence_counts_as_one():
    def after_it():
        try:
            raise OperationalError(2013, "Lost connection")
        except OperationalError:
            raise KeyError("x") from None

    def because_of_it():
        raise transaction.TransactionManagementError("broken") from OperationalError(1205, "Lock wait timeout exceeded")

    assert trouble_of(raised(after_it)) is Trouble.AWAY
    assert trouble_of(raised(because_of_it)) is Trouble.BUSY


def test_only_what_cannot_have_been_stored_counts_as_undone():
    def connecting_after_a_break():
        try:
            raise OperationalError(2013, "Lost connection")
        except OperationalError:
            raise OperationalError(2002, "Can't connect") from None

    assert is_undone(OperationalError(2002, "Can't connect"))
    assert is_undone(OperationalError(1205, "Lock wait timeout exceeded"))
    assert is_undone(OperationalError("database or disk is full"))
    assert not is_undone(OperationalError(2013, "Lost connection"))
    assert not is_undone(InterfaceError(0, ""))
    assert not is_undone(OperationalError("disk I/O error"))
    assert not is_undone(raised(connecting_after_a_break))
    error = OperationalError(2013, "Lost connection")
    mark_undone(error)
    assert is_undone(error)


# --- Transactions that are taken again


@pytest.mark.django_db(transaction=True)
class TestInTransaction:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch):
        # The audit trail needs it. Made within a transaction that is undone, it would be remembered all the same.
        ContentType.objects.get_for_model(Machine)
        monkeypatch.setattr(transactions.time, "sleep", lambda seconds: None)

    def run(self, *errors):
        """Of work that fails with these errors, one after the other: its last error, its result, and each call."""
        left, calls = list(errors), []

        def work():
            calls.append(1)
            Machine.objects.create(name=f"g{len(calls)}")
            if left:
                raise left.pop(0)
            return "done"

        try:
            return None, in_transaction(work), calls
        except DATABASE_ERRORS as error:
            return error, None, calls

    @pytest.mark.parametrize(
        "error",
        [
            OperationalError(1213, "Deadlock found"),
            OperationalError(1205, "Lock wait timeout exceeded"),
            OperationalError("database is locked"),
            IntegrityError(1452, "a foreign key constraint fails"),
            IntegrityError(1062, "Duplicate entry 'g1' for key 'name'"),
            connection.Database.OperationalError(1213, "Deadlock found"),
        ],
    )
    def test_what_others_locked_is_taken_again_and_nothing_of_the_first_time_stays(self, error):
        _error, result, calls = self.run(error)
        assert (result, len(calls)) == ("done", 2)
        assert Machine.objects.get().name == "g2"

    def test_it_is_not_taken_again_without_end(self):
        errors = [OperationalError(1205, "Lock wait timeout exceeded") for _attempt in range(ATTEMPTS)]
        error, _result, calls = self.run(*errors)
        assert len(calls) == ATTEMPTS
        assert is_undone(error)

    def test_who_has_waited_long_for_a_lock_does_not_wait_again(self, monkeypatch):
        monkeypatch.setattr(transactions, "AGAIN_WITHIN_S", -1)
        error, _result, calls = self.run(OperationalError(1205, "Lock wait timeout exceeded"))
        assert len(calls) == 1
        assert trouble_of(error) is Trouble.BUSY

    def test_a_broken_connection_is_not_taken_for_a_lock(self):
        error, _result, calls = self.run(OperationalError(2013, "Lost connection"))
        assert len(calls) == 1
        assert is_undone(error)  # it broke before the commit
        assert not Machine.objects.exists()

    def test_a_fault_of_ours_is_no_trouble_of_the_database(self):
        error, _result, calls = self.run(IntegrityError(1048, "Column 'name' cannot be null"))
        assert len(calls) == 1
        assert trouble_of(error) is None

    @pytest.mark.parametrize("error", [OperationalError(2013, "Lost connection"), InterfaceError(0, ""), gone()])
    def test_when_the_answer_to_a_commit_is_lost_nobody_says_what_was_stored(self, monkeypatch, error):
        commit = BaseDatabaseWrapper._commit

        def lose_the_answer(self):
            commit(self)
            raise error

        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", lose_the_answer)
        error, _result, calls = self.run()
        assert isinstance(error, UnknownCommit)
        assert trouble_of(error) is Trouble.AWAY
        assert not is_undone(error)
        assert len(calls) == 1
        connection.close()
        assert Machine.objects.count() == 1

    @pytest.fixture
    def first_answer_lost(self, monkeypatch):
        """Says how many transactions were begun to be committed; the answer to the first gets lost."""
        commit, commits = BaseDatabaseWrapper._commit, []

        def lose_the_answer(self):
            commits.append(1)
            commit(self)
            if len(commits) == 1:
                self.close()
                raise OperationalError(2013, "Lost connection")

        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", lose_the_answer)
        return commits

    @pytest.mark.parametrize(("is_stored", "expected"), [(True, ["first"]), (False, ["first", "second"])])
    def test_who_waits_looks_whether_an_attempt_without_an_answer_was_stored(
        self, first_answer_lost, is_stored, expected
    ):
        names, asked = iter(["first", "second"]), []

        def ask():
            asked.append(connection.in_atomic_block)
            return is_stored

        found = in_transaction(
            lambda: Machine.objects.create(name=next(names)), patience=Patience(60, sleep=str), is_stored=ask
        )
        assert asked == [True]
        assert found.name == expected[-1]
        assert [machine.name for machine in Machine.objects.all()] == expected

    def test_who_waits_and_cannot_look_does_the_work_again(self, first_answer_lost):
        made = in_transaction(lambda: Machine.objects.get_or_create(name="g1"), patience=Patience(60, sleep=str))
        assert len(first_answer_lost) == 2
        assert made == (Machine.objects.get(), False)

    def test_after_an_answer_was_lost_no_later_error_says_that_nothing_was_stored(self, first_answer_lost):
        calls = []

        def work():
            calls.append(1)
            if len(calls) > 1:
                raise OperationalError(2003, "Can't connect to server")
            Machine.objects.create(name="g1")

        waits = iter([0])  # once

        def sleep(seconds):
            if next(waits, None) is None:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as raised:
            in_transaction(work, patience=Patience(60, sleep=sleep))
        error = raised.value.__context__
        assert error.args[0] == 2003
        assert not is_undone(error)
        assert Machine.objects.count() == 1

    def test_what_the_commit_itself_refuses_stays_what_it_is(self, monkeypatch):
        def refuse(self):
            raise IntegrityError("FOREIGN KEY constraint failed")

        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", refuse)
        error, _result, calls = self.run()
        assert type(error) is IntegrityError
        assert len(calls) == 1

    def test_within_another_transaction_only_that_one_can_begin_anew(self):
        with transaction.atomic():
            _error, _result, calls = self.run(OperationalError(1213, "Deadlock found"))
            transaction.set_rollback(True)
        assert len(calls) == 1


@pytest.mark.skipif(connection.vendor != "mysql", reason="of MariaDB and MySQL")
@pytest.mark.django_db(transaction=True)
def test_a_real_killed_connection_is_seen_as_an_absence():
    other = connection.copy()

    def work():
        Machine.objects.create(name="g1")
        with other.cursor() as cursor:
            cursor.execute("KILL %s", [connection.connection.thread_id()])
        Machine.objects.create(name="g2")

    try:
        with pytest.raises(DatabaseError) as found:
            in_transaction(work)
    finally:
        other.close()
    assert trouble_of(found.value) is Trouble.AWAY
    assert is_undone(found.value)
    connection.close()
    assert not Machine.objects.exists()
