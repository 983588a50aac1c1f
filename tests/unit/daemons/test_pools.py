from __future__ import annotations

import asyncio
import threading

import pytest

from corral.core.errors import Error, TimedOut
from corral.daemons.pools import MAX_POOLS, SIZE, Pool, Pools


def test_a_job_answers_or_fails_where_it_was_given() -> None:
    async def work() -> None:
        pools = Pools()
        assert await pools.run("a", lambda: 7, 5) == 7

        def fail() -> None:
            raise Error("no")

        with pytest.raises(Error, match="no"):
            await pools.run("a", fail, 5)
        assert await pools.run("a", threading.get_ident, 5) != threading.get_ident()

    asyncio.run(work())


def test_what_hangs_starves_only_its_own_pool() -> None:
    async def work() -> None:
        pools, release = Pools(), threading.Event()
        hung = [asyncio.create_task(pools.run("nfs", release.wait, 30)) for _ in range(SIZE)]
        await asyncio.sleep(0)
        waiting = asyncio.create_task(pools.run("nfs", lambda: "late", 30))
        assert await pools.run("local", lambda: "at once", 5) == "at once"
        assert await pools.run("", lambda: "at once", 5) == "at once"
        assert not waiting.done()
        release.set()
        assert await waiting == "late"
        assert await asyncio.gather(*hung) == [True] * SIZE

    asyncio.run(work())


def test_a_job_that_takes_too_long_is_given_up() -> None:
    async def work() -> None:
        pools, release = Pools(), threading.Event()
        with pytest.raises(TimedOut, match=r"'nfs' did not answer within 0\.01 seconds"):
            await pools.run("nfs", release.wait, 0.01)
        release.set()
        assert await pools.run("nfs", lambda: 1, 5) == 1

    asyncio.run(work())


def test_too_many_waiting_calls_are_refused_at_once() -> None:
    async def work() -> None:
        pool, release = Pool("nfs", 1, backlog=2), threading.Event()
        hung = asyncio.create_task(pool.run(release.wait, 30))
        while pool._waiting:  # noqa: ASYNC110  what only the pool knows
            await asyncio.sleep(0)
        waiting = [asyncio.create_task(pool.run(lambda: 1, 30)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TimedOut, match="'nfs' does not answer: 1 calls hang, 2 wait"):
            await pool.run(lambda: 1, 30)
        release.set()
        assert await asyncio.gather(hung, *waiting) == [True, 1, 1]

    asyncio.run(work())


def test_idle_pools_are_dropped() -> None:
    async def work() -> None:
        pools = Pools()
        for number in range(MAX_POOLS + 20):
            await pools.run(f"agent/{number}", lambda: None, 5)
        assert len(pools._pools) <= MAX_POOLS + 1

    asyncio.run(work())
