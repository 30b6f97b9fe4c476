"""What systemd hears, on a socket of its own kind."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from kcjl.health.supervisor import keep_told
from kcjl.health.vitals import State, Vitals

pytestmark = pytest.mark.anyio


@pytest.fixture
def supervisor() -> Iterator[socket.socket]:
    with (
        tempfile.TemporaryDirectory(prefix="kcjl-") as folder,  # its path must be short
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening,
    ):
        listening.bind(f"{folder}/notify")
        listening.settimeout(10)
        yield listening


def environment(supervisor: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": supervisor.getsockname(), **more}


async def heard(supervisor: socket.socket) -> str:
    return (await anyio.to_thread.run_sync(supervisor.recv, 4_096)).decode()


async def test_systemd_hears_when_it_is_ready_and_that_it_stops(
    supervisor: socket.socket,
) -> None:
    """Ready when every merchant is; a start that takes long is no failure."""
    vitals = Vitals(["acme"])
    async with anyio.create_task_group() as group:
        group.start_soon(keep_told, vitals, environment(supervisor))
        first = await heard(supervisor)
        vitals.merchants["acme"].serves(())
        then = [await heard(supervisor), await heard(supervisor)]
        vitals.merchants["acme"].waits(State.AWAY, "the database\nis away")
        later = await heard(supervisor)
        group.cancel_scope.cancel()

    assert "STATUS=acme: starting" == first
    assert ["READY=1", "STATUS=acme: serving"] == then
    assert "STATUS=acme: away (the database is away)" == later
    assert "STOPPING=1" == await heard(supervisor)


async def test_the_watchdog_is_fed_by_the_loop(supervisor: socket.socket) -> None:
    """Three times in its time; a loop that is stuck feeds nothing."""
    vitals = Vitals(["acme", "bolt"])
    async with anyio.create_task_group() as group:
        fed = environment(supervisor, WATCHDOG_USEC="60000")
        group.start_soon(keep_told, vitals, fed)
        said = [await heard(supervisor) for _ in range(3)]
        group.cancel_scope.cancel()

    assert ["STATUS=2 starting", "WATCHDOG=1", "WATCHDOG=1"] == said


async def test_without_a_supervisor_nothing_is_told(tmp_path: Path) -> None:
    """By hand, in a container: it ends at once. One that has gone breaks nothing."""
    vitals = Vitals(["acme"])
    await keep_told(vitals, {})
    with anyio.move_on_after(0.05) as waited:
        await keep_told(vitals, {"NOTIFY_SOCKET": str(tmp_path / "gone")})

    assert waited.cancelled_caught
