"""What systemd is told: ready, alive, stopping (`sd_notify`, its documented protocol).

Promises: without `NOTIFY_SOCKET` it does nothing. The watchdog is fed by the event loop itself,
so a loop that is stuck is restarted. A supervisor that does not listen breaks nothing.
Called by the CLI's `run`.
"""

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress

import anyio

from kcjl.clock import real_sleep
from kcjl.health.vitals import Vitals

__all__ = ["keep_told"]

LOOK_EVERY_S = 1.0
WATCHDOG_PARTS = 3
"""The watchdog is fed so often in its time."""


async def keep_told(vitals: Vitals, environment: Mapping[str, str] = os.environ) -> None:
    """Tell the supervisor, until cancelled; at once over when there is none."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    tell = _teller(address)
    watchdog_s = int(environment.get("WATCHDOG_USEC", "0")) / 1_000_000
    every_s = min(LOOK_EVERY_S, watchdog_s / WATCHDOG_PARTS) if watchdog_s else LOOK_EVERY_S
    ready, status = False, ""
    try:
        while True:
            if vitals.ready and not ready:
                ready = True
                tell("READY=1")
            if (now := _status(vitals)) != status:
                status = now
                tell(f"STATUS={now}")
            if watchdog_s:
                tell("WATCHDOG=1")
            await real_sleep(every_s)
    except anyio.get_cancelled_exc_class():
        tell("STOPPING=1")
        raise


def _status(vitals: Vitals) -> str:
    reports = vitals.reports()
    if len(reports) == 1:
        (only,) = reports
        return f"{only.merchant}: {only.state}" + (f" ({only.because})" if only.because else "")
    states = [each.state for each in reports]
    return ", ".join(f"{states.count(each)} {each}" for each in dict.fromkeys(states))


def _teller(address: str) -> Callable[[str], None]:
    path = "\0" + address[1:] if address.startswith("@") else address

    def tell(said: str) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(said.replace("\n", " ").encode(), path)

    return tell
