"""Bounded pools of threads, one per thing that may hang: a storage's path or a guest's agent starves nobody else."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from corral.core.errors import TimedOut

T = TypeVar("T")

COMMON = ""
COMMON_SIZE = 32
SIZE = 4
MAX_POOLS = 512


class Pool:
    """At most `size` threads that end when idle for a minute. `waiting` calls beyond `backlog` are refused at once.

    Threads are daemons: one that hangs in a system call must not keep the process from ending.
    """

    def __init__(self, name: str, size: int, *, backlog: int = 1000) -> None:
        self.name = name
        self._size = size
        self._backlog = backlog
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], asyncio.AbstractEventLoop, asyncio.Future[Any]]] = (
            queue.SimpleQueue()
        )
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._waiting = 0

    @property
    def busy(self) -> bool:
        """Whether any thread runs or job waits."""
        return self._waiting > 0 or self._threads > self._idle

    async def run(self, job: Callable[[], T], within: float) -> T:
        """The result of `job`, run in a thread. `TimedOut` after `within` seconds, or at once when too many wait:
        the thread may then go on, but nobody listens."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            if self._waiting >= self._backlog:
                raise TimedOut(f"'{self.name}' does not answer: {self._threads} calls hang, {self._waiting} wait")
            self._waiting += 1
            start = self._idle < self._waiting and self._threads < self._size
            if start:
                self._threads += 1
        self._jobs.put((job, loop, future))
        if start:
            threading.Thread(target=self._work, name=f"pool {self.name or 'common'}", daemon=True).start()
        try:
            async with asyncio.timeout(within):
                return await future
        except TimeoutError as exc:
            raise TimedOut(f"'{self.name or 'this call'}' did not answer within {within:g} seconds") from exc

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            try:
                job, loop, future = self._jobs.get(timeout=60)
            except queue.Empty:
                with self._lock:
                    self._idle -= 1
                    if self._waiting == 0:
                        self._threads -= 1
                        return
                    continue
            with self._lock:
                self._idle -= 1
                self._waiting -= 1
            if not future.cancelled():
                _settle(job, loop, future)


def _settle(job: Callable[[], Any], loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
    result: Any = None
    error: BaseException | None = None
    try:
        result = job()
    except BaseException as exc:  # raised again where the job was given
        error = exc

    def deliver() -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    try:
        loop.call_soon_threadsafe(deliver)
    except RuntimeError:  # the loop has ended: nobody waits any more
        return


class Pools:
    """The pools of a daemon by name, made when first needed; idle ones are dropped beyond `MAX_POOLS`."""

    def __init__(self) -> None:
        self._pools: OrderedDict[str, Pool] = OrderedDict()

    async def run(self, name: str, job: Callable[[], T], within: float) -> T:
        """Run `job` in the pool called `name`."""
        pool = self._pools.get(name)
        if pool is None:
            pool = self._pools[name] = Pool(name, COMMON_SIZE if name == COMMON else SIZE, backlog=1000)
            self._trim()
        self._pools.move_to_end(name)
        return await pool.run(job, within)

    def _trim(self) -> None:
        for name in [name for name, pool in self._pools.items() if not pool.busy and name != COMMON]:
            if len(self._pools) <= MAX_POOLS:
                return
            del self._pools[name]
