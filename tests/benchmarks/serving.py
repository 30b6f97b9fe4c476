"""An application that answers in a process of its own, so that what is measured is its client.

Called by `market.py` and `erp.py`.
"""

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from aiohttp import web

__all__ = ["serving_alone"]


@contextmanager
def serving_alone(make: Callable[[], web.Application]) -> Iterator[str]:
    """Its base URL, while it runs. `make` is a function of a module: the process imports it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(make, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _run(make: Callable[[], web.Application], told: Connection) -> None:
    asyncio.run(_serve(make, told))


async def _serve(make: Callable[[], web.Application], told: Connection) -> None:
    runner = web.AppRunner(make(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told.send(runner.addresses[0][1])
    await asyncio.Event().wait()
