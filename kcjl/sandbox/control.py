"""The routes of the sandbox itself: clock, truth, settings, faults, a person's hand.

Promises: what changes the world goes through the doorkeeper's journal; reads show the world as
it stands at its clock's now. No route here exists in life, and none needs a key: the sandbox
listens on loopback unless told otherwise. It renders JSON only.
Invariant: an operation that is not on the list of hooks is refused.
Called by the server, beside the John Lewis face, under /sandbox.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from kcjl.errors import KcjlError, Misuse
from kcjl.sandbox.doorkeeper import Doorkeeper
from kcjl.sandbox.faults import Fault, faults_from
from kcjl.sandbox.johnlewis.http import ROUTES
from kcjl.sandbox.khaos.signatures import OPERATIONS
from kcjl.sandbox.khaos_cloud import CHANNEL_HOOKS
from kcjl.sandbox.marketplace import ApiError
from kcjl.sandbox.xero import BOOKS_HOOKS
from kcjl.sandbox.xero import OPERATIONS as XERO_OPERATIONS
from kcjl.sandbox.xero.books import BooksRefusal

__all__ = ["MARKETPLACE_HOOKS", "PREFIX", "WAREHOUSE_HOOKS", "control_routes"]

PREFIX = "/sandbox"

WAREHOUSE_HOOKS = frozenset(
    {
        "add_box", "add_product", "adjust", "archive", "authorise_payment", "cancel_order",
        "confirm_order", "confirm_shipment", "delete_product", "edit_product", "goods_in",
        "hold", "issue", "move_stage", "purchase", "release_hold", "rename_courier",
        "sell_elsewhere", "set_consignment", "ship_part", "switch", "take_back", "un_ship",
    }
)  # fmt: skip
"""Methods of `Warehouse` that a person may call; `import_orders` is the client's."""

MARKETPLACE_HOOKS = frozenset(
    {
        "close_incident", "customer_cancels", "customer_returns", "fail_exports",
        "list_offer", "open_incident", "open_return", "operator_cancels", "operator_charges",
        "operator_credits", "operator_invoices", "operator_refunds", "place_order",
        "run_cycle", "slow_imports", "switch",
    }
)  # fmt: skip
"""Methods of `Marketplace` that customers and the operator may call."""

T = TypeVar("T")


class ClockRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /sandbox/clock."""

    speed: float | None = None
    """World seconds a real second; 0 stands still."""
    leap_s: float = 0
    """World seconds to go ahead at once."""
    running: bool | None = None
    """True begins without waiting for clients any longer."""


def control_routes(doorkeeper: Doorkeeper) -> list[web.RouteDef]:
    """The routes of one sandbox."""
    control = _Control(doorkeeper)
    return [
        web.get(f"{PREFIX}/clock", _answering(control.read_clock)),
        web.post(f"{PREFIX}/clock", _answering(control.set_clock)),
        web.get(f"{PREFIX}/truth", _answering(control.read_truth)),
        web.get(f"{PREFIX}/orders", _answering(control.read_orders)),
        web.get(f"{PREFIX}/orders/{{order_id}}", _answering(control.read_order)),
        web.get(f"{PREFIX}/offers", _answering(control.read_offers)),
        web.get(f"{PREFIX}/stock", _answering(control.read_stock)),
        web.get(f"{PREFIX}/returns", _answering(control.read_returns)),
        web.get(f"{PREFIX}/settings", _answering(control.read_settings)),
        web.post(f"{PREFIX}/settings", _answering(control.switch_settings)),
        web.get(f"{PREFIX}/settings/warehouse", _answering(control.read_warehouse_settings)),
        web.post(f"{PREFIX}/settings/warehouse", _answering(control.switch_warehouse)),
        web.get(f"{PREFIX}/faults", _answering(control.read_faults)),
        web.post(f"{PREFIX}/faults", _answering(control.add_faults)),
        web.delete(f"{PREFIX}/faults", _answering(control.clear_faults)),
        web.delete(f"{PREFIX}/faults/{{number}}", _answering(control.remove_fault)),
        web.get(f"{PREFIX}/hooks", _answering(control.read_hooks)),
        web.get(f"{PREFIX}/cloud", _answering(control.read_cloud)),
        web.post(f"{PREFIX}/cloud/{{operation}}", _answering(control.cloud)),
        web.post(f"{PREFIX}/warehouse/{{operation}}", _answering(control.warehouse)),
        web.post(f"{PREFIX}/marketplace/{{operation}}", _answering(control.marketplace)),
        web.get(f"{PREFIX}/xero", _answering(control.read_books)),
        web.post(f"{PREFIX}/xero/{{operation}}", _answering(control.books)),
    ]


class _Control:
    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._door = doorkeeper

    async def read_clock(self, _: web.Request) -> object:
        self._door.enter("control", "clock")
        return self._door.clock()

    async def set_clock(self, request: web.Request) -> object:
        wanted = _decoded(await request.read(), ClockRequest)
        self._door.enter("control", "clock")
        self._door.set_pace(speed=wanted.speed, running=wanted.running, leap_s=wanted.leap_s)
        return self._door.clock()

    async def read_truth(self, _: web.Request) -> object:
        self._door.enter("control", "truth")
        return self._door.world.truth()

    async def read_orders(self, request: web.Request) -> object:
        """All orders in the order of placing; `offset` and `limit` cut, `total` says so."""
        offset, limit = _whole(request, "offset", 0), _whole(request, "limit", None)
        self._door.enter("control", "orders")
        world = self._door.world
        placed = list(world.marketplace.orders.values())
        end = None if limit is None or offset is None else offset + limit
        return {
            "total": len(placed),
            "orders": [world.order_truth(order) for order in placed[offset:end]],
        }

    async def read_order(self, request: web.Request) -> object:
        self._door.enter("control", "orders")
        order_id = request.match_info["order_id"]
        order = self._door.world.marketplace.orders.get(order_id)
        if order is None:
            raise web.HTTPNotFound(text=f"there is no order {order_id}")
        return self._door.world.order_truth(order)

    async def read_offers(self, _: web.Request) -> object:
        """SKU to the quantity that the window shows."""
        self._door.enter("control", "offers")
        offers = self._door.world.marketplace.offers
        return {sku: offer.quantity for sku, offer in offers.items()}

    async def read_stock(self, _: web.Request) -> object:
        """SKU of each offer to the ERP's level, null where the ERP does not know it."""
        self._door.enter("control", "stock")
        stock = self._door.world.warehouse.stock
        items = {sku: stock.find(sku) for sku in self._door.world.marketplace.offers}
        return {sku: None if item is None else item.level() for sku, item in items.items()}

    async def read_returns(self, _: web.Request) -> object:
        """Every return, oldest first."""
        self._door.enter("control", "returns")
        return list(self._door.world.marketplace.returns.by_id.values())

    async def read_settings(self, _: web.Request) -> object:
        """The marketplace tenant's settings as they hold now."""
        self._door.enter("control", "settings")
        return self._door.world.marketplace.settings

    async def switch_settings(self, request: web.Request) -> object:
        """Settings by name with their new values; the answer is all of them."""
        changes = _decoded(await request.read(), dict[str, object])
        self._door.enter("control", "switch")
        self._door.change("johnlewis", "switch", {"settings": changes})
        return self._door.world.marketplace.settings

    async def read_warehouse_settings(self, _: web.Request) -> object:
        """The settings of the ERP and of its web service as they hold now."""
        self._door.enter("control", "settings")
        return self._door.world.warehouse.settings

    async def switch_warehouse(self, request: web.Request) -> object:
        """Settings by name with their new values; the answer is all of them."""
        changes = _decoded(await request.read(), dict[str, object])
        self._door.enter("control", "switch")
        self._door.change("khaos", "switch", {"settings": changes})
        return self._door.world.warehouse.settings

    async def read_faults(self, _: web.Request) -> object:
        return self._door.faults.planned

    async def add_faults(self, request: web.Request) -> object:
        faults = faults_from(await request.read(), of="the body")
        _refuse_unknown_operations(faults)
        self._door.enter("control", "faults")
        return self._door.change("faults", "add", {"faults": faults})

    async def clear_faults(self, _: web.Request) -> object:
        self._door.enter("control", "faults")
        return {"cleared": self._door.change("faults", "clear", {})}

    async def remove_fault(self, request: web.Request) -> object:
        number = request.match_info["number"]
        if not (number.isascii() and number.isdigit()):
            raise Misuse(f"a fault has a whole number, not {number!r}")
        self._door.enter("control", "faults")
        return self._door.change("faults", "remove", {"number": int(number)})

    async def read_cloud(self, _: web.Request) -> object:
        """The Cloud channel's screen: errors, what was taken, what is due."""
        self._door.enter("control", "cloud")
        return self._door.world.cloud.view()

    async def read_hooks(self, _: web.Request) -> object:
        """What a person's hand can do, with its arguments, by side."""
        world = self._door.world
        return {
            "cloud": _hooks(world.cloud, CHANNEL_HOOKS),
            "marketplace": _hooks(world.marketplace, MARKETPLACE_HOOKS),
            "warehouse": _hooks(world.warehouse, WAREHOUSE_HOOKS),
            "xero": _hooks(world.books, BOOKS_HOOKS),
        }

    async def read_books(self, _: web.Request) -> object:
        """The manual journals in Xero, oldest first."""
        self._door.enter("control", "books")
        return list(self._door.world.books.journals.values())

    async def books(self, request: web.Request) -> object:
        return await self._by_hand(request, "xero", BOOKS_HOOKS)

    async def cloud(self, request: web.Request) -> object:
        return await self._by_hand(request, "khaos_cloud", CHANNEL_HOOKS)

    async def warehouse(self, request: web.Request) -> object:
        return await self._by_hand(request, "khaos", WAREHOUSE_HOOKS)

    async def marketplace(self, request: web.Request) -> object:
        return await self._by_hand(request, "johnlewis", MARKETPLACE_HOOKS)

    async def _by_hand(self, request: web.Request, side: str, hooks: frozenset[str]) -> object:
        operation = request.match_info["operation"]
        if operation not in hooks:
            known = ", ".join(sorted(hooks))
            raise Misuse(f"there is no operation {operation!r} here; there are {known}")
        written = await request.read()
        arguments = _decoded(written or b"{}", dict[str, object])
        self._door.enter("control", operation)
        try:
            outcome = self._door.change(side, operation, arguments)
        except TypeError as wrong:
            raise Misuse(f"{operation} can't be called so: {wrong}") from None
        return {"outcome": outcome}


def _hooks(model: object, names: frozenset[str]) -> dict[str, object]:
    """Name to what it does and takes; an argument with a default need not be given."""
    shown: dict[str, object] = {}
    for name in sorted(names):
        method = getattr(model, name)
        about = (inspect.getdoc(method) or name).partition("\n")[0]
        parameters = inspect.signature(method).parameters.values()
        shown[name] = {"about": about, "arguments": [str(each) for each in parameters]}
    return shown


def _refuse_unknown_operations(faults: Sequence[Fault]) -> None:
    """A fault of an operation that there is not would never strike, and nobody would know."""
    codes = {code for code, *_ in ROUTES}
    methods = {*OPERATIONS, "WSDL", "*"}
    for fault in faults:
        if fault.side == "khaos" and fault.operation not in methods:
            raise Misuse(f"the ERP's web service has no operation {fault.operation!r}")
        if fault.side == "johnlewis" and fault.operation not in codes | {"*"}:
            raise Misuse(f"the seller API has no operation {fault.operation!r}")
        if fault.side == "xero" and fault.operation not in {*XERO_OPERATIONS, "*"}:
            raise Misuse(f"Xero has no operation {fault.operation!r}")


def _decoded(written: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(written, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as trouble:
        raise Misuse(f"the body can't be read: {trouble}") from None


def _whole(request: web.Request, name: str, otherwise: int | None) -> int | None:
    text = request.query.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit()):
        raise Misuse(f"{name} is a whole number, not {text!r}")
    return int(text)


def _answering(handler: Callable[[web.Request], Awaitable[object]]) -> Handler:
    """JSON of what a handler returns; what it refuses as an error with one sentence."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            body = await handler(request)
        except (KcjlError, msgspec.ValidationError, ApiError, BooksRefusal) as refusal:
            status = 400 if isinstance(refusal, Misuse | msgspec.ValidationError) else 409
            return _json({"error": str(refusal)}, status)
        return _json(body, 200)

    return answer


def _json(body: object, status: int) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body, enc_hook=str),
        status=status,
        content_type="application/json",
    )
