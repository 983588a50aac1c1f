"""A client for load: some connections, each asking again as soon as it is answered. Runs as a process of its own.

_load.run(urls, connections=16, seconds=5, headers={…})
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import time
from typing import Any

import aiohttp
import uvloop


async def ask(session: aiohttp.ClientSession, urls: list[str], end: float, times: list[float], bad: list[int]) -> None:
    """One connection."""
    number = 0
    while time.perf_counter() < end:
        start = time.perf_counter()
        async with session.get(urls[number % len(urls)]) as reply:
            await reply.read()
            if reply.status != 200:
                bad.append(reply.status)
        times.append((time.perf_counter() - start) * 1000)
        number += 1


async def load(urls: list[str], connections: int, seconds: float, headers: dict[str, str]) -> dict[str, Any]:
    """Requests a second, and the time of each in milliseconds."""
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    times: list[float] = []
    bad: list[int] = []
    connector = aiohttp.TCPConnector(limit=connections, ssl=tls)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        await asyncio.gather(*(ask(session, urls, time.perf_counter() + 1, [], bad) for _ in range(connections)))
        start = time.perf_counter()
        await asyncio.gather(*(ask(session, urls, start + seconds, times, bad) for _ in range(connections)))
        spent = time.perf_counter() - start
    return {"rate": len(times) / spent, "times": times, "bad": len(bad)}


def run(urls: list[str], connections: int, seconds: float, headers: dict[str, str]) -> dict[str, Any]:
    """The load of another process, so that client and bench don't share an interpreter."""
    given = json.dumps({"urls": urls, "connections": connections, "seconds": seconds, "headers": headers})
    done = subprocess.run(
        [sys.executable, "-m", "bench._load"],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    print(json.dumps(uvloop.run(load(**json.load(sys.stdin)))))
