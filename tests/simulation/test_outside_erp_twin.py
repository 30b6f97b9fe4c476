"""The simulated ERP tells what the KWS adapter tells of the same warehouse, field by field.

Two warehouses of one seed are worked on by the same hands, which do whatever people can do to
one. After each step one is asked by the real adapter over the sandbox's SOAP face, the other by
the simulated port: equal records, down to how a figure is written.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from random import Random

import msgspec
import pytest

from kcjl.clock import chance
from kcjl.errors import KcjlError, Misuse
from kcjl.khaos import port as erp
from kcjl.money import Money
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.warehouse.orders import Invoice, SalesOrder
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import WorldSettings
from tests.simulation.faces import StandingClock, adapters_over
from tests.simulation.faults import Faults
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_erp import KWS, SimulatedErp
from tests.simulation.parting import parting, records_in

pytestmark = pytest.mark.anyio

STEPS = 40
TRADE = GeneratedTrade(
    first_day=date(2026, 10, 24), orders_per_hour=5, skus=8, opens_at_hour=8,
    closes_at_hour=11, seed=5,
)  # fmt: skip
"""The day before the clocks go back, so that an hour comes twice."""
SITES = [{"site_id": 1, "name": "Main Site"}, {"site_id": 7, "name": "Barn"}]
WORLDS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "as documented": ({}, {}),
    "other wording": (
        {
            "sites": SITES,
            "since_is_inclusive": False,
            "empty_answer": "fault",
            "duplicate_answer": "fault",
            "typed_dates": "offset",
            "document_dates": "british",
            "unknown_tags": True,
            "consignment_separator": "; ",
        },
        {"due_with_free_stock": True, "add_buildable": True, "stock_codes_per_call": 3},
    ),
    "older build": (
        {
            "empty_answer": "string",
            "extra_tags": False,
            "scs_answer": "in_parent",
            "typed_dates": "z",
            "no_date": "1899",
            "multi_reference": True,
            "ships_in_parts": False,
            "imports_unconfirmed": True,
        },
        {
            "fold_packs": False,
            "product_codes_per_call": 4,
            "order_refs_per_call": 2,
            "company_class": "Trade",
        },
    ),
    "wrong clock": (
        {"wall_clock": "utc", "clock_error_s": 3700, "typed_dates": "plain"},
        {},
    ),
}
"""Toggles of the ERP, and settings of the adapter."""

NEVER_TOLD: dict[type[msgspec.Struct], set[str]] = {
    erp.Courier: {"courier_id"},
    erp.Product: {"web_price"},
    erp.StockLevel: {"back_order", "physical", "allocated"},
    erp.Parcel: {"line_refs"},
    erp.CreatedOrder: {"queued"},
    erp.OrderStatus: {"queued", "heard_at", "shows_total"},
}
"""Fields of records that this ERP's web service has nothing for."""
RECORDS: tuple[type[msgspec.Struct], ...] = (
    erp.Site, erp.Courier, erp.ProductRef, erp.Product, erp.StockLevel, erp.CreatedOrder,
    erp.OrderStatus, erp.Invoice, erp.Parcel,
)  # fmt: skip


def world_of(name: str) -> World:
    settings = WorldSettings.of("quick", seed=5, trade=TRADE)
    usual = msgspec.to_builtins(settings.warehouse)
    warehouse = msgspec.convert({**usual, **WORLDS[name][0]}, type(settings.warehouse))
    return World(msgspec.structs.replace(settings, warehouse=warehouse))


class Hands:
    """Whatever people can do to a warehouse, drawn by chance; what can't be done is left."""

    def __init__(self, world: World, luck: Random) -> None:
        self.world = world
        self.luck = luck
        self.refs: list[str] = []

    def open_shop(self) -> None:
        """Wares of every kind, beside the trade's own."""
        price = Money(1995)
        self._do("add_product", code="STYLE", description="Shirt", sell_price=price)
        for number, size in enumerate(("S", "M")):
            self._do(
                "add_product", code=f"STYLE-{size}", description=f"Shirt {size}",
                sell_price=price, parent="STYLE", styles=(("Size", size),), physical=number * 4,
                barcodes=(f"50000000000{number}",), other_ref=f"OLD-{size}",
            )  # fmt: skip
        self._do(
            "add_product", code="Lamp & <Co>", description=' Lamp "é" ', sell_price=price,
            physical=9, barcodes=("5011", "5012", "5011"), other_ref="L&C", max_display=5,
            sales_multiple=2, tax_code=4, sell_price_is_net=True, min_level=1, safe_level=2,
        )  # fmt: skip
        self._do(
            "add_product", code="BULB", description="Bulb", sell_price=price, physical=7,
            run_to_zero=True,
        )  # fmt: skip
        self._do(
            "add_product", code="CARD", description="Gift card", sell_price=price,
            stock_controlled=False, on_web=False,
        )  # fmt: skip
        self._do(
            "add_product", code="SET", description="Lamp and bulbs", sell_price=price,
            pack_of=(("lamp & <co>", 1), ("BULB", 2)),
        )  # fmt: skip

    def acts(self) -> dict[str, Callable[[], None]]:
        return {
            "edit": self._edit,
            "adjust": lambda: self._do(
                "adjust", code=self._code(), delta=self.luck.choice((-9, -1, "2.5", 6)),
                reason="count",
            ),
            "elsewhere": lambda: self._do("sell_elsewhere", lines=[(self._code(), 1)]),
            "purchase": self._purchase,
            "goods_in": lambda: self._do(
                "goods_in", code=self._code(), quantity=self.luck.randint(1, 5)
            ),
            "cancel": lambda: self._of_order("cancel_order", reason=" Changed  mind "),
            "confirm": lambda: self._of_order("confirm_order"),
            "hold": lambda: self._of_order("hold"),
            "release": lambda: self._of_order("release_hold"),
            "un_ship": lambda: self._of_order("un_ship"),
            "ship": self._ship,
            "box": self._box,
            "part": self._part,
            "consign": self._consign,
            "issue": lambda: self._of_invoice("issue"),
            "archive": lambda: self._of_invoice("archive"),
            "stage": lambda: self._of_invoice(
                "move_stage", stage_id=self.luck.choice((9, 14, 15, 20, 21, 99))
            ),
            "rename": self._rename,
        }  # fmt: skip

    def next_order(self) -> erp.NewOrder:
        """Of anything, in any number; now and then one that is there already."""
        number = len(self.refs) + (0 if self.luck.random() < 0.85 else -1)
        ref = f"JL{1000 + max(number, 0)}"
        self.refs.append(ref)
        codes = self.luck.sample(["SET", "BULB", self._code(), "STYLE-M", "CARD"], 2)
        codes += ["nothing"] if self.luck.random() < 0.1 else []
        lines = tuple(
            erp.NewOrderLine(
                external_line_ref=f"{ref}-{at}",
                stock_code=code,
                quantity=self.luck.randint(1, 4),
                unit_gross=Money(1995),
            )
            for at, code in enumerate(dict.fromkeys(codes))
        )
        units = sum(line.quantity for line in lines)
        return erp.NewOrder(
            external_ref=ref,
            ordered_at=datetime(2026, 10, 1, tzinfo=UTC),
            currency="GBP",
            deliver_to=KWS.invoice_address,
            lines=lines,
            delivery_gross=Money(395),
            gross_total=Money(1995 * units + 395),
        )

    def _edit(self) -> None:
        name, value = self.luck.choice(
            (
                ("description", "New name"), ("sell_price", Money(5)), ("discontinued", True),
                ("discontinued", False), ("run_to_zero", True), ("on_web", True),
                ("sales_multiple", 3), ("max_display", 8),
            )
        )  # fmt: skip
        self._do("edit_product", code=self._code(), **{name: value})

    def _purchase(self) -> None:
        due = self.world.agenda.now.date() + timedelta(days=self.luck.choice((1, 3, 40)))
        self._do("purchase", code=self._code(), quantity=self.luck.randint(1, 9), due=due)

    def _ship(self) -> None:
        courier = self.luck.choice(("", self.luck.choice(self.world.warehouse.couriers).name))
        numbers = self.luck.choice(((), ("A1;A2, A1",), (" ",), ("B1", "B2")))
        invoice = self._invoice(can_ship)
        if invoice is not None:
            self._do(
                "confirm_shipment", invoice_code=invoice.code, courier=courier,
                consignments=numbers,
            )  # fmt: skip

    def _box(self) -> None:
        invoice = self._invoice()
        if invoice is not None:
            code = self.luck.choice(invoice.items).line.item.code
            self._do("add_box", invoice_code=invoice.code, stock_code=code, quantity=1)

    def _part(self) -> None:
        invoice = self._invoice()
        if invoice is not None:
            code = self.luck.choice(invoice.items).line.item.code
            self._do("ship_part", invoice_code=invoice.code, items=[(code, 1)])

    def _consign(self) -> None:
        number = self.luck.choice(("C1 C2", "C3", "", ","))
        box = self.luck.randint(1, 2)
        self._of_invoice("set_consignment", box_number=box, consignment=number)

    def _rename(self) -> None:
        name = self.luck.choice(self.world.warehouse.couriers).name
        self._do("rename_courier", old_name=name, new_name=f"{name}*")

    def _code(self) -> str:
        return self.luck.choice([item.code for item in self.world.warehouse.stock])

    def _of_order(self, operation: str, **more: object) -> None:
        found: list[SalesOrder] = list(self.world.warehouse.sales_orders.values())
        if found:
            ref = self.luck.choice(found).external_ref
            self._do(operation, external_ref=ref, **more)

    def _of_invoice(self, operation: str, **more: object) -> None:
        invoice = self._invoice()
        if invoice is not None:
            self._do(operation, invoice_code=invoice.code, **more)

    def _invoice(self, fits: Callable[[Invoice], bool] = bool) -> Invoice | None:
        orders = self.world.warehouse.sales_orders.values()
        found = [i for order in orders for i in order.invoices if fits(i)]
        return self.luck.choice(found) if found else None

    def _do(self, operation: str, **arguments: object) -> None:
        try:
            self.world.change("khaos", operation, arguments)
        except Misuse:
            return


def can_ship(invoice: Invoice) -> bool:
    return not (invoice.closed or invoice.shipped_at or invoice.waits_for_stock)


async def said_by(
    khaos: erp.ErpPort, world: World, clock: StandingClock, seed: str
) -> list[object]:
    """Everything that the port tells of a warehouse, while people work in it."""
    luck = chance(f"hands/{seed}")
    hands = Hands(world, luck)
    hands.open_shop()
    began, said = clock.at, list[object]()
    for _ in range(STEPS):
        clock.at += timedelta(
            minutes=luck.choice((1, 7, 45)), milliseconds=luck.randint(0, 999)
        )
        world.agenda.advance(clock.at)
        luck.choice(list(hands.acts().values()))()
        said.append(await answer(khaos.create_order(hands.next_order())))
        codes = [item.code.upper() for item in world.warehouse.stock]
        refs = [*dict.fromkeys(hands.refs), "no,thing"]
        since = clock.at - timedelta(hours=luck.choice((1, 5)))
        one = luck.choice(refs)
        for call in (
            khaos.sites(),
            khaos.couriers(),
            khaos.moved_products(since),
            khaos.edited_products(began),
            khaos.products([*codes, "no-such", "#no"]),
            khaos.stock_levels([*codes, "no-such", "A,B", "#no"], ["1", "7"]),
            khaos.stock_levels([*codes[-3:], "no-such"], ["1"]),
            khaos.order_statuses(refs),
            khaos.find_order(one),
        ):
            said.append(await answer(call))
    return said


async def answer(call: Awaitable[object]) -> object:
    """What was told, or how it was refused."""
    try:
        return await call
    except KcjlError as error:
        return type(error), getattr(error, "reason_code", "")


async def over_http(name: str, seed: str) -> list[object]:
    """What the real adapter tells of a world."""
    kws = msgspec.structs.replace(KWS, **WORLDS[name][1])
    world = world_of(name)
    clock = StandingClock(world.starts_at)
    async with adapters_over(world, clock, kws) as adapters:
        return await said_by(adapters.erp, world, clock, seed)


async def simulated(name: str, seed: str) -> list[object]:
    """What the simulated port tells of the same world."""
    kws = msgspec.structs.replace(KWS, **WORLDS[name][1])
    world = world_of(name)
    clock = StandingClock(world.starts_at)
    mishaps = Mishaps(Faults(), chance("calm"), clock)
    erp_there = SimulatedErp(world, mishaps, clock, settings=kws)
    return await said_by(erp_there, world, clock, seed)


@pytest.mark.parametrize("seed", ["a", "b"])
@pytest.mark.parametrize("name", WORLDS)
async def test_warehouse_asked_over_soap_and_simulated_tells_the_same(
    name: str, seed: str
) -> None:
    """Whatever people do in it, however it words its answers."""
    told = await over_http(name, seed)

    assert "" == parting(told, await simulated(name, seed))


async def test_records_compared_over_soap_have_every_field_filled() -> None:
    """A field that is new in a record fails here, until the comparison has seen it filled."""
    said: list[object] = []
    for name in ("other wording", "older build"):
        said += await over_http(name, "a")
    filled: dict[type, set[str]] = defaultdict(set)
    for record in records_in(said):
        usual = dict(
            zip(record.__struct_fields__[::-1], record.__struct_defaults__[::-1], strict=False)
        )
        filled[type(record)] |= {
            field
            for field in record.__struct_fields__
            if field not in usual or getattr(record, field) != usual[field]
        }

    expected = {
        kind: set(kind.__struct_fields__) - NEVER_TOLD.get(kind, set()) for kind in RECORDS
    }
    assert expected == {kind: filled[kind] for kind in RECORDS}
    parcels = [record for record in records_in(said) if isinstance(record, erp.Parcel)]
    assert any(code == "SET" for parcel in parcels for code, _ in parcel.items)
