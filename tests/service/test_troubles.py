"""The service's own troubles, through the sandbox: once on the desk, and gone by themselves."""

from pathlib import Path

import pytest

from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.orders.events import OrdersRead
from kcjl.sandbox.faults import Fault
from tests.service.running import quiet_world, serving, shop

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(kind="status", side="johnlewis", status=401, times=None), "credentials_refused"),
        (Fault(kind="status", side="khaos", status=401, times=None), "credentials_refused"),
        (
            Fault(kind="rate_limit", side="johnlewis", retry_after_s=1, times=None),
            "rate_limited",
        ),
    ],
    ids=lambda each: f"{each.side}-{each.kind}" if isinstance(each, Fault) else "",
)
async def test_side_that_refuses_every_call_is_one_exception_and_clears_by_itself(
    database_dsn: str, tmp_path: Path, fault: Fault, kind: str
) -> None:
    """Several jobs meet it; when the side answers again nobody has to close anything."""
    async with (
        shop(database_dsn, tmp_path, quiet_world()) as running,
        serving(running),
    ):
        await running.until(OrdersRead)
        running.fails(fault)
        raised = await running.until(ExceptionRaised, lambda event: event.kind == kind)
        running.works_again()
        await running.until(ExceptionCleared, lambda event: event.kind == kind)
        said = [each for each in await running.events(ExceptionRaised) if each.kind == kind]

    assert fault.side == raised.subject
    assert {fault.side} == {each.subject for each in said}
    assert [False] == [each.again for each in said]
