"""`kcjl dispatch map` and `kcjl dispatch retry`, as typed, beside a service that obeys them."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import msgspec
import pytest

from kcjl.clock import SeededIds
from kcjl.commands import serve_commands
from kcjl.dispatch.events import (
    CarrierMapped,
    ConfirmationIntended,
    ConfirmationRefused,
    ConfirmationRetried,
    TrackingLetThrough,
    TrackingMalformed,
)
from kcjl.dispatch.policy_events import CarrierMapWithdrawn, CouriersListed
from kcjl.projections.dispatchreading import CourierRow
from kcjl.rooms import Outside, Rooms
from kcjl.vault import MemoryVault
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.cli.test_stock import CONFIG, SETTINGS, said_of
from tests.cli.typed import typed
from tests.commanding import commands_of
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import Shop
from tests.tenant.readings import tenant_read
from tests.trade import SHIPPING, at, posted, received, shipped

pytestmark = pytest.mark.anyio

NUMBER = "15500000000001"


kcjl = partial(typed, "dispatch")


@asynccontextmanager
async def serving(made: Handmade) -> AsyncIterator[None]:
    """Two parcels in trouble, the lists of both sides, and rooms that carry commands out."""
    order = received("O1", state=SHIPPING)
    await made.says(
        tenant_read(),
        CouriersListed(couriers=(("DPD Next Day", "DPD24"), ("Bike", "")), occurred_at=at()),
        order,
        posted(order),
        shipped(),
        ConfirmationIntended(
            order_id="O1",
            parcel_key="INV1/1",
            attempt=1,
            lines=(),
            courier_name="DPD",
            carrier_code="dpd",
            tracking_number=NUMBER,
            by_shipment=True,
            occurred_at=at(),
        ),
        ConfirmationRefused(
            order_id="O1",
            parcel_key="INV1/1",
            message="no",
            attempt=1,
            deadline=None,
            occurred_at=at(),
        ),
        shipped(parcel_key="INV1/2", tracking="TRK2"),
        TrackingMalformed(
            order_id="O1",
            parcel_key="INV1/2",
            tracking_number="TRK2",
            carrier="DPD",
            deadline=None,
            occurred_at=at(),
        ),
    )
    outside = Outside(Shop(made.clock), Warehouse(made.clock), Books(), Books())
    vault = MemoryVault(MERCHANT, b"k" * 32)
    rooms = Rooms(SETTINGS, made.log, vault, outside, made.clock, SeededIds(1))
    for room in rooms.all():
        await room.catch_up()
    queue = commands_of(made.database, MERCHANT)
    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, queue, rooms.handlers(), made.clock.now)
        yield
        group.cancel_scope.cancel()


async def test_courier_is_mapped_and_taken_out_under_the_callers_name(
    database_dsn: str, tmp_path: Path
) -> None:
    """Set and removed: each change is an event with a version, a reason and a name."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made, serving(made):
        words = ("map", "set", "Bike", "evri", "--reason", "agreed", "--json")
        done = await kcjl(*words, cwd=tmp_path)
        wrong = await kcjl("map", "set", "Bike", "nobody", cwd=tmp_path)
        removed = await kcjl("map", "remove", "bike", "--reason", "sold", cwd=tmp_path)
        ((mapped, by),) = await said_of(made, CarrierMapped)
        ((withdrawn, _),) = await said_of(made, CarrierMapWithdrawn)

    assert [0, 3, 0] == [each.returncode for each in (done, wrong, removed)]
    assert b"Bike is evri from now on" in msgspec.json.encode(msgspec.json.decode(done.stdout))
    assert "it has dpd, evri" in wrong.stderr
    assert (1, "agreed", getpass.getuser()) == (mapped.version, mapped.reason, by)
    assert (2, "sold") == (withdrawn.version, withdrawn.reason)


async def test_couriers_are_listed_with_their_carriers_and_what_is_near_to_them(
    database_dsn: str, tmp_path: Path
) -> None:
    """From the log alone: no service need run."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made:
        listed_there = CouriersListed(
            couriers=(("DPD Next Day", "DPD24"), ("Bike", "")), occurred_at=at()
        )
        mapped = CarrierMapped(
            courier="Bike", carrier_code="evri", version=1, occurred_at=at(1)
        )
        await made.says(tenant_read(), listed_there, mapped)
        suggested = await kcjl("map", "suggest", cwd=tmp_path)
        listed = await kcjl("map", "list", "--json", cwd=tmp_path)

    assert [0, 0] == [each.returncode for each in (suggested, listed)]
    assert "DPD Next Day" in suggested.stdout
    assert "Bike" not in suggested.stdout
    rows = [msgspec.json.decode(line, type=CourierRow) for line in listed.stdout.splitlines()]
    assert {"Bike": "mapped", "DPD Next Day": "none"} == {r.courier: r.state for r in rows}
    assert ("dpd",) == rows[1].nearest


async def test_parcels_are_retried_and_numbers_let_through_under_the_callers_name(
    database_dsn: str, tmp_path: Path
) -> None:
    """What was refused, what is in doubt; what waits for neither is refused with its state."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made, serving(made):
        again = await kcjl("retry", "O1", "--json", cwd=tmp_path)
        words = ("retry", "O1", "--parcel", "INV1/2", "--as-is", "--reason", "a trial label")
        as_is = await kcjl(*words, cwd=tmp_path)
        nothing = await kcjl("retry", "O1", cwd=tmp_path)
        ((retried, by),) = await said_of(made, ConfirmationRetried)
        ((let_through, _),) = await said_of(made, TrackingLetThrough)

    assert [0, 0, 3] == [each.returncode for each in (again, as_is, nothing)]
    assert "retry" == msgspec.json.decode(again.stdout)["verb"]
    assert "INV1/2 is malformed" in nothing.stderr
    assert ("INV1/1", getpass.getuser()) == (retried.parcel_key, by)
    assert ("TRK2", "a trial label") == (let_through.tracking_number, let_through.reason)
