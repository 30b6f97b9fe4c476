"""Orders as the ERP shows them: stages, totals, cancellation, what is not there."""

from datetime import date
from decimal import Decimal

import pytest

from kcjl.errors import ProtocolSurprise, RateLimited, Unavailable
from kcjl.khaos.port import Parcel, Stage
from kcjl.money import Money
from tests.khaos.conftest import HandClock, MakeAdapter
from tests.khaos.samples import COURIERS, REF, SENT, box, found, invoice, says, status
from tests.khaos.server import ScriptedErp, fault, http, string

pytestmark = pytest.mark.anyio


async def test_find_order_shipped_order_is_read_whole(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The composed sample: one invoice, one box, dates in DD/MM/YYYY, total with delivery."""
    items = SENT.format("BOX_ITEM", "LAMP-OAK-01", "2.00")
    boxes = box(
        items, SHIPPED="-1", SHIP_DATE="03/04/2026", CONSIGNMENT_REF="1550099887766", COURIER=""
    )
    says(
        erp,
        status(
            invoice(boxes, INVOICE_STAGE_ID="16", INVOICE_STAGE_DESC="ISSUE"),
        ),
    )

    order = await found(make)

    assert ("SO70551", False, "", False, "GBP", Money(13348)) == (
        order.erp_order_code,
        order.cancelled,
        order.cancel_reason,
        order.complete,
        order.currency,
        order.gross_total,
    )
    (only,) = order.invoices
    assert ("INV88012", Stage.SHIPPED, "16 ISSUE") == (
        only.invoice_code,
        only.stage,
        only.stage_raw,
    )
    assert (
        Parcel(
            parcel_key="INV88012/1",
            shipped=True,
            courier_name="DPD Next Day",
            courier_code="DPD24",
            tracking_number="1550099887766",
            shipped_on=date(2026, 4, 3),
            items=(("LAMP-OAK-01", Decimal("2.00")),),
        ),
    ) == only.parcels


async def test_find_order_asks_for_cancelled_orders_and_items(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """By reference, with cancelled ones and items, without a window; all ten arguments."""
    says(erp, status())

    await found(make)

    assert {
        "IDs": REF,
        "MappingType": "4",
        "WebOnly": "false",
        "ConfirmedOnly": "false",
        "IncludeTracking": "false",
        "IncludeCancelled": "true",
        "DateFrom": "nil",
        "DateTo": "nil",
        "InvoiceStageIDs": "",
        "ShowItems": "true",
    } == erp.arguments("ExportOrderStatusEx")[0]


@pytest.mark.parametrize(
    "answer",
    [
        string("", "<STATUS_LIST/>"),
        string("", ""),
        fault(f"Order {REF} does not exist"),
        string("", f"<STATUS_LIST>{status(ref='JL1002003000')}</STATUS_LIST>"),
    ],
    ids=["empty root", "empty string", "fault", "another order"],
)
async def test_find_order_unknown_reference_is_none(
    erp: ScriptedErp, make: MakeAdapter, answer: bytes
) -> None:
    """Only what is plainly not there is None; another order's reference is not ours."""
    erp.will_say("ExportOrderStatusEx", answer)

    assert await make().find_order(REF) is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(500, "<html>Server Error</html>", "text/html"), Unavailable),
        (http(200, "<html>Sign in</html>", "text/html"), Unavailable),
        (http(200, b""), Unavailable),
        (http(429, b"", Retry_After="7"), RateLimited),
        (http(200, "<S:Envelope><S:Body>", sized=False), Unavailable),
        (fault("deadlock", "EIBError"), Unavailable),
        (http(200, "fine, thanks"), ProtocolSurprise),
        (string("", "<STATUS_LIST><ORDER"), ProtocolSurprise),
        (string("", "<NOTHING/>"), ProtocolSurprise),
        (fault("Interface not supported", "EIntfCastError"), ProtocolSurprise),
    ],
    ids=range(10),
)
async def test_find_order_unreadable_answer_is_never_not_found(
    erp: ScriptedErp, make: MakeAdapter, answer: bytes, kind: type[Exception]
) -> None:
    """A doubt about an order would make a second one; so a doubt is an error."""
    erp.will_say("ExportOrderStatusEx", answer)

    with pytest.raises(kind) as caught:
        await make().find_order(REF)
    assert kind is type(caught.value)


async def test_order_statuses_are_asked_in_chunks_and_absent_ones_are_absent(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Fifty references a call at most, by setting; what is not there is not in the answer."""
    says(erp, status(ref="R1") + status(ref="r2", code="SO2"), status(ref="R5", code="SO5"))

    orders = await make(order_refs_per_call=3).order_statuses(
        ["R1", "R2", "R3", "R4", "R5", "R1"]
    )

    assert [("R1", "SO70551"), ("R2", "SO2"), ("R5", "SO5")] == [
        (o.external_ref, o.erp_order_code) for o in orders
    ]
    asked = [arguments["IDs"] for arguments in erp.arguments("ExportOrderStatusEx")]
    assert ["R1,R2,R3", "R4,R5"] == asked


@pytest.mark.parametrize(
    ("stage_id", "stage", "shipped"),
    [
        ("1", Stage.CANCELLED, False),
        ("9", Stage.ACCEPTED, False),
        ("10", Stage.ACCEPTED, False),
        ("11", Stage.BLOCKED_PAYMENT, False),
        ("12", Stage.IN_WAREHOUSE, False),
        ("13", Stage.IN_WAREHOUSE, False),
        ("14", Stage.IN_WAREHOUSE, False),
        ("15", Stage.IN_WAREHOUSE, False),
        ("16", Stage.SHIPPED, True),
        ("17", Stage.ON_HOLD, False),
        ("18", Stage.ON_HOLD, False),
        ("19", Stage.ON_HOLD, False),
        ("20", Stage.IN_WAREHOUSE, False),
        ("21", Stage.ON_HOLD, False),
        ("70", Stage.POSTED, True),
        ("71", Stage.POSTED, True),
        ("72", Stage.POSTED, True),
        ("73", Stage.POSTED, True),
        ("74", Stage.UNKNOWN, False),
        ("160", Stage.UNKNOWN, False),
        ("", Stage.UNKNOWN, False),
    ],
)
async def test_invoice_stage_is_looked_up_never_compared(
    erp: ScriptedErp, make: MakeAdapter, stage_id: str, stage: Stage, *, shipped: bool
) -> None:
    """The table of stages; a stage alone makes a shipment at 16 and 70 to 73 only."""
    says(erp, status(invoice(INVOICE_STAGE_ID=stage_id)))

    order = await found(make)

    assert (stage, shipped) == (order.invoices[0].stage, order.invoices[0].parcels[0].shipped)


@pytest.mark.parametrize(
    ("ship_date", "shipped", "day"),
    [
        ("03/04/2026", True, date(2026, 4, 3)),
        ("03/04/2026 14:20:00", True, date(2026, 4, 3)),
        ("2026-04-03", True, date(2026, 4, 3)),
        ("", False, None),
        ("30/12/1899", False, None),
        ("1899-12-30T00:00:00", False, None),
        ("00/00/0000", False, None),
        ("3rd of April", True, None),
    ],
)
async def test_invoice_ship_date_means_shipped(
    erp: ScriptedErp, make: MakeAdapter, ship_date: str, *, shipped: bool, day: date | None
) -> None:
    """A ship date is "Confirm Shipment done", at any stage; the zero date is none."""
    says(erp, status(invoice(INVOICE_STAGE_ID="14", SHIP_DATE=ship_date)))

    order = await found(make)

    (parcel,) = order.invoices[0].parcels
    assert (shipped, day) == (parcel.shipped, parcel.shipped_on)
    assert (Stage.SHIPPED if shipped else Stage.IN_WAREHOUSE) == order.invoices[0].stage


@pytest.mark.parametrize(
    ("extra", "invoices", "expected"),
    [
        ("<CANCELLED><REASON>Buyer asked</REASON></CANCELLED>", "", (True, "Buyer asked")),
        ("<CANCELLED/>", "", (True, "")),
        ("<CANCELLED>0</CANCELLED>", "", (False, "")),
        ("", invoice(INVOICE_STAGE_ID="1") * 2, (True, "")),
        ("", invoice(INVOICE_STAGE_ID="1") + invoice(INVOICE_STAGE_ID="16"), (False, "")),
        ("", "", (False, "")),
    ],
    ids=range(6),
)
async def test_order_is_cancelled_by_its_mark_or_by_all_its_invoices(
    erp: ScriptedErp,
    make: MakeAdapter,
    extra: str,
    invoices: str,
    expected: tuple[bool, str],
) -> None:
    """CANCELLED is there, or every invoice is at stage 1."""
    says(erp, status(invoices, extra=extra))

    order = await found(make)

    assert expected == (order.cancelled, order.cancel_reason)


async def test_find_order_live_order_goes_before_cancelled_and_credit_note(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """One reference, several entries: the order that lives is the answer."""
    cancelled = status(code="SO1", extra="<CANCELLED/>")
    credit = status(code="CN1").replace('TYPE_ID="S">Sales Order', 'TYPE_ID="C">Credit Note')
    says(erp, credit + cancelled + status(code="SO2"))

    assert "SO2" == (await found(make)).erp_order_code


@pytest.mark.parametrize(
    ("total", "expected"),
    [("129.98", Money(13348)), ("", None), ("129.985", Money(13349))],
)
async def test_order_total_is_items_and_delivery_to_the_penny(
    erp: ScriptedErp, make: MakeAdapter, total: str, expected: Money | None
) -> None:
    """Gross of both, halves up; nothing said, nothing known."""
    says(erp, status().replace("129.9800", total))

    assert expected == (await found(make)).gross_total


async def test_order_statuses_courier_list_that_fails_costs_only_the_codes(
    erp: ScriptedErp, make: MakeAdapter, clock: HandClock
) -> None:
    """The courier's code is a convenience: without the list, the name alone is given."""
    document = string("", f"<STATUS_LIST>{status(invoice())}</STATUS_LIST>")
    erp.will_say("ExportOrderStatusEx", document, document, document)
    erp.will_say("GetSOPData", fault("no list"), string("", COURIERS))
    adapter = make()
    codes = []

    for minutes in (0, 5, 6):
        await clock.sleep(minutes * 60)
        (order,) = await adapter.order_statuses([REF])
        codes.append(order.invoices[0].parcels[0].courier_code)

    assert [None, None, "DPD24"] == codes
    assert 2 == len(erp.called("GetSOPData"))


async def test_order_statuses_renamed_courier_is_looked_up_again(
    erp: ScriptedErp, make: MakeAdapter, clock: HandClock
) -> None:
    """A name that is not in the list makes it be read again, not at every poll."""
    renamed = invoice(COURIER="DPD Tomorrow")
    documents = [
        f"<STATUS_LIST>{status(i)}</STATUS_LIST>" for i in (invoice(), renamed, renamed)
    ]
    erp.will_say("ExportOrderStatusEx", *(string("", document) for document in documents))
    after = COURIERS.replace("Next Day", "Tomorrow")
    erp.will_say("GetSOPData", string("", COURIERS), string("", after))
    adapter = make()
    codes = []

    for _ in documents:
        (order,) = await adapter.order_statuses([REF])
        codes.append(order.invoices[0].parcels[0].courier_code)
        await clock.sleep(301)

    assert ["DPD24", None, "DPD24"] == codes


@pytest.mark.parametrize(
    ("word", "expected"),
    [("-1", True), ("1", True), ("true", True), ("TRUE", True), ("0", False), ("false", False)],
)
async def test_order_complete_is_read_in_every_way_of_saying_yes(
    erp: ScriptedErp, make: MakeAdapter, *, word: str, expected: bool
) -> None:
    """-1 by the guide, 1 by the vendor's own connector, true by SOAP's types."""
    said = status().replace("<COMPLETE>0<", f"<COMPLETE>{word}<")
    says(erp, said)

    assert expected is (await found(make)).complete


async def test_order_tells_invoice_dates_units_and_where_to_follow_a_parcel(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Issue date, units, address for settlement and dispatch; odd extras spoil nothing."""
    parcel = box(CONSIGNMENT_REF="A1 A2", TRACKING_URL="https://track.example/A1")
    first = invoice(
        parcel,
        INVOICE_DATE="03/03/2026",
        ISSUE_DATE="04/03/2026",
        QTY_SOLD="2.00",
        QTY_SENT="2.00",
    )
    second = invoice(
        box(TRACKING_URL="javascript:alert(1)"),
        INVOICE_CODE="I2",
        ISSUE_DATE="30/12/1899",
        QTY_SOLD="?",
    )
    says(erp, status(first + second, extra="<QTY_ASSIGNED>2</QTY_ASSIGNED>"))

    order = await found(make)
    issued, odd = order.invoices

    assert (Decimal(2), Decimal(2)) == (order.qty_sold, order.qty_assigned)
    assert (date(2026, 3, 3), date(2026, 3, 4), Decimal(2), Decimal(2)) == (
        issued.invoiced_on,
        issued.issued_on,
        issued.qty_sold,
        issued.qty_sent,
    )
    assert ("A1", ("A2",), "https://track.example/A1") == (
        issued.parcels[0].tracking_number,
        issued.parcels[0].more_tracking_numbers,
        issued.parcels[0].tracking_url,
    )
    assert (None, None, None) == (odd.issued_on, odd.qty_sold, odd.parcels[0].tracking_url)
