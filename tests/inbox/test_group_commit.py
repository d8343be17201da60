"""Group commit, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from bot.errors import StorageError
from bot.inbox.database import Database
from bot.inbox.sql.group_commit import GroupCommitWriter

PATIENCE = 30.0


class Gate:
    """An operation that blocks its commit until it is released."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opens = threading.Event()

    def __call__(self, _connection: sa.Connection, values: Sequence[object]) -> Sequence[object]:
        """Return the values, in time."""
        self.entered.set()
        assert self.opens.wait(PATIENCE)
        return values


def add(connection: sa.Connection, values: Sequence[int]) -> Sequence[int]:
    """Write nothing, but query the database for each result."""
    return [connection.execute(sa.select(sa.literal(value) + 1)).scalar_one() for value in values]


def count(_connection: sa.Connection, values: Sequence[int]) -> Sequence[int]:
    """Return for each value how many are written together."""
    return [len(values)] * len(values)


def refuse(_connection: sa.Connection, values: Sequence[int]) -> Sequence[int]:
    """Fail for a negative value."""
    if min(values) < 0:
        raise ValueError("negative")
    return values


def lose(connection: sa.Connection, values: Sequence[None]) -> Sequence[None]:
    """Cut the connection in the middle of the transaction."""
    connection.invalidate()
    return values


def test_a_lost_connection_is_replaced(writer: GroupCommitWriter) -> None:
    """The writes of that commit fail; the next ones succeed."""
    assert writer.submit(add, 1).result() == 2
    with pytest.raises(StorageError):
        writer.submit(lose, None).result()
    assert [writer.submit(add, n).result() for n in range(3)] == [1, 2, 3]


def test_every_thread_gets_its_own_result(writer: GroupCommitWriter) -> None:
    """However often the leader changes."""
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda n: writer.submit(add, n).result(), range(400)))
    assert outcomes == [n + 1 for n in range(400)]


def test_writes_queued_during_a_commit_are_in_the_next_one(writer: GroupCommitWriter) -> None:
    """Led by the first waiting thread."""
    gate = Gate()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(writer.submit(gate, 1).result)
        assert gate.entered.wait(PATIENCE)
        futures = [writer.submit(count, n) for n in range(3)]
        rest = [pool.submit(future.result) for future in futures]
        gate.opens.set()
        assert first.result(PATIENCE) == 1
        assert [one.result(PATIENCE) for one in rest] == [3, 3, 3]


def test_the_lead_passes_to_a_waiting_thread(writer: GroupCommitWriter) -> None:
    """The former leader has its result and leaves; the new one also commits writes that no thread waits for."""
    gate, done = Gate(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(writer.submit(gate, 1).result)
        assert gate.entered.wait(PATIENCE)
        heir, other = writer.submit(add, 1), writer.submit(add, 2)
        other.add_done_callback(done.set)
        advanced = pool.submit(heir.advance)
        gate.opens.set()
        assert first.result(PATIENCE) == 1
        assert done.wait(PATIENCE)
        advanced.result(PATIENCE)
    assert (heir.answer, other.answer) == (2, 3)


def test_only_one_thread_waits_to_take_over(writer: GroupCommitWriter) -> None:
    """All others continue at once."""
    gate = Gate()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(writer.submit(gate, 1).result)
        assert gate.entered.wait(PATIENCE)
        futures = [writer.submit(add, n) for n in range(2)]
        advances = [pool.submit(future.advance) for future in futures[:1]]
        while not futures[0].is_waited_for:
            assert not first.done()
        futures[1].advance()
        assert not first.done()
        gate.opens.set()
        for advance in advances:
            advance.result(PATIENCE)
    assert [future.result() for future in futures] == [1, 2]


def test_an_error_is_raised_only_for_its_cause(writer: GroupCommitWriter) -> None:
    """The other writes of its commit succeed."""
    gate = Gate()
    with ThreadPoolExecutor(4) as pool:
        pool.submit(writer.submit(gate, 1).result)
        assert gate.entered.wait(PATIENCE)
        futures = [writer.submit(refuse, n) for n in (1, -1, 2)]
        gate.opens.set()
        assert (futures[0].result(), futures[2].result()) == (1, 2)
        with pytest.raises(ValueError, match="negative"):
            futures[1].result()


def test_waiting_for_a_commit_has_a_time_limit(writer: GroupCommitWriter) -> None:
    """The write may still succeed."""
    gate = Gate()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(writer.submit(gate, 1).result)
        assert gate.entered.wait(PATIENCE)
        future = writer.submit(add, 1)
        with pytest.raises(TimeoutError):
            future.result(timeout=0.0)
        gate.opens.set()
        assert first.result(PATIENCE) == 1
    assert future.result() == 2


def test_a_failing_callback_does_not_affect_others(writer: GroupCommitWriter) -> None:
    """A callback added to a finished write is called at once."""
    future = writer.submit(add, 1)
    told = []
    future.add_done_callback(lambda: 1 / 0)
    future.add_done_callback(lambda: told.append(1))
    assert future.result() == 2
    future.add_done_callback(lambda: told.append(2))
    assert told == [1, 2]


def test_stopping_commits_what_is_queued(database: Database) -> None:
    """Also writes that no thread has waited for."""
    writer = GroupCommitWriter(database)
    future = writer.submit(add, 1)
    writer.stop()
    assert (future.is_done, future.answer) == (True, 2)
