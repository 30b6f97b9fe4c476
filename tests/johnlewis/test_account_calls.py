"""The seller API: the account by filter and by export, invoices and their documents."""

from contextlib import aclosing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

import msgspec
import pytest

from kcjl.errors import Misuse, ProtocolSurprise, Refused
from kcjl.johnlewis.account_port import InvoiceTax, TransactionFilter
from kcjl.johnlewis.parts import CycleSummary, OneOffItem, TaxedTotal, TaxRate
from kcjl.johnlewis.port import TransactionLine
from kcjl.johnlewis.reading import BYTE_ORDER_MARK
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.money import Money
from tests.johnlewis.conftest import JumpingClock, MakeApi
from tests.johnlewis.samples import INVOICE, PAID_CYCLE, TRANSACTION
from tests.johnlewis.server import Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 2, 3, 8, tzinfo=UTC)
VOUCHER = TransactionFilter(voucher="000117")


# ── TL02 ────────────────────────────────────────────────────────────────────────────────────


async def test_lines_by_every_filter_are_asked_for_by_its_name(
    market: ScriptedServer, api: SellerApi
) -> None:
    """TL02's filters (b.6)."""
    market.will_say(said(200, {"data": [TRANSACTION]}))

    await api.transaction_lines_of(
        TransactionFilter(
            updated_since=SINCE,
            created_since=SINCE,
            created_until=SINCE,
            transacted_since=SINCE,
            transacted_until=SINCE,
            cycle_ids=("c1", "c2"),
            payment_states=("PAID",),
            kinds=("PAYMENT",),
            order_ids=("A",),
            order_line_ids=("A-1",),
            customer_order_numbers=("JL-1",),
            seller_references=("KC-1",),
            document_numbers=("INV-1",),
        )
    )

    at = "2026-02-03T08:00:00Z"
    assert market.asked[0].query == [
        ("last_updated_from", at),
        ("date_created_from", at),
        ("date_created_to", at),
        ("transaction_date_from", at),
        ("transaction_date_to", at),
        ("seller_billing_cycle_id", "c1"),
        ("seller_billing_cycle_id", "c2"),
        ("payment_state", "PAID"),
        ("transaction_type", "PAYMENT"),
        ("order_id", "A"),
        ("order_line_id", "A-1"),
        ("order_reference_for_customer", "JL-1"),
        ("order_reference_for_seller", "KC-1"),
        ("accounting_document_number", "INV-1"),
        ("sort", "lastUpdated,ASC"),
        ("limit", "2000"),
    ]


async def test_lines_of_many_orders_are_asked_for_by_hundreds_and_given_once(
    market: ScriptedServer, api: SellerApi
) -> None:
    """No more than 100 ids a call; a line that two calls show is one line."""
    market.by = lambda _: said(200, {"data": [TRANSACTION]})

    read = await api.transaction_lines_of(
        TransactionFilter(order_ids=tuple(f"O{n}" for n in range(250)))
    )

    assert [100, 100, 50] == [
        sum(name == "order_id" for name, _ in asked.query) for asked in market.asked
    ]
    assert 1 == len(read)


async def test_lines_of_a_voucher_are_misuse_without_an_export(api: SellerApi) -> None:
    """TL02 would pass the filter over and give every line (b.6)."""
    with pytest.raises(Misuse, match="TL03"):
        await api.transaction_lines_of(VOUCHER)
    with pytest.raises(Misuse, match="order_ids"):
        await api.transaction_lines_of(TransactionFilter(order_ids=(" ",)))


async def test_line_with_every_entity_is_read(market: ScriptedServer, api: SellerApi) -> None:
    """The ties of b.6, field by field."""
    entities = {
        "order": None,
        "refund": {"id": 55012},
        "shipment": {"id": "s1"},
        "debit": {"id": "d1"},
        "order_tax": {"code": "VAT20", "rate": 20.0},
        "shop_tax": {"code": "TAXDEFAULT", "rate": "17.5"},
        "order_fee": {"code": "GIFT"},
        "fee": {"code": "LATE", "cancelations": [{"id": 1}], "refunds": [{"id": "r2"}]},
        "manual_accounting_document": {"number": "M-1"},
        "one_off_item": {
            "description": "Shelf",
            "quantity": 2,
            "unit_price": 5.25,
            "operation_date": "2026-02-01T10:00:00Z",
            "references": ["x", {"value": "y"}, 7],
        },
        "transaction_info": {"number": "TX-9", "date": "2026-02-01T10:00:00Z"},
        "domain": "PRODUCT",
        "channel": {"code": "JLUK"},
    }
    row = {**TRANSACTION, "entities": entities, "accounting_document_id": "doc"}
    market.will_say(said(200, {"data": [row]}))

    (read,) = await api.transaction_lines_of(TransactionFilter(cycle_ids=("c",)))

    assert (Money(4156), "doc", "55012", "s1", "d1", "GIFT", "LATE", ("1",), ("r2",)) == (
        read.balance,
        read.document_id,
        read.refund_id,
        read.shipment_id,
        read.debit_id,
        read.order_fee_code,
        read.fee_code,
        read.fee_cancelation_ids,
        read.fee_refund_ids,
    )
    assert ("M-1", "TX-9", "JLUK") == (
        read.manual_document_number,
        read.transaction_number,
        read.channel_code,
    )
    assert TaxRate(code="VAT20", rate=Decimal(20)) == read.order_tax
    assert TaxRate(code="TAXDEFAULT", rate=Decimal("17.5")) == read.shop_tax
    assert (
        OneOffItem(
            description="Shelf",
            quantity=2,
            unit_price=Money(525),
            operation_date=date(2026, 2, 1),
            references=("x", "y", "7"),
        )
        == read.one_off_item
    )


# ── TL03 to TL05 ────────────────────────────────────────────────────────────────────────────


async def exported(
    market: ScriptedServer, api: SellerApi, form: str, *files: bytes, status: object = None
) -> list[TransactionLine]:
    def answer(asked: Asked) -> bytes:
        if asked.method == "POST":
            return said(200, {"tracking_id": "t"})
        if "/status/" in asked.path:
            names = [f"/api/files/{n}" for n in range(len(files))]
            return said(200, status or {"status": "COMPLETED", "urls": names})
        return said(200, files[int(asked.path.rpartition("/")[2])])

    market.by = answer
    lines: list[TransactionLine] = []
    chosen: Literal["json", "ndjson"] = "ndjson" if form == "ndjson" else "json"
    async with aclosing(api.transaction_lines_exported(VOUCHER, form=chosen)) as batches:
        async for batch in batches:
            lines += batch
    return lines


@pytest.mark.parametrize("form", ["json", "ndjson"])
async def test_lines_of_a_voucher_are_exported(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock, form: str
) -> None:
    """TL03 → TL04 → TL05 in both forms; a line of two files is one line."""
    other = {**TRANSACTION, "id": 7}
    lists = [[TRANSACTION, other], [other]]
    files = [
        b"\n".join(map(msgspec.json.encode, rows)) + b"\n"
        if form == "ndjson"
        else msgspec.json.encode({"data": rows, "next_page_token": None})
        for rows in lists
    ]
    files[0] = BYTE_ORDER_MARK + files[0]

    read = await exported(market, api, form, *files)

    assert [str(TRANSACTION["id"]), "7"] == [line.line_id for line in read]
    assert {Money(-1039)} == {line.amount for line in read}
    assert {"format": form.upper(), "payment_voucher_number": "000117"} == (
        msgspec.json.decode(market.asked[0].body)
    )
    assert [60.0] == clock.slept_s


async def test_export_of_lines_that_was_cancelled_is_refused(
    market: ScriptedServer, api: SellerApi
) -> None:
    """TL04 knows CANCELED; without words it says at least that."""
    with pytest.raises(Refused, match=r"TL04.*CANCELED") as refusal:
        await exported(market, api, "json", status={"status": "CANCELED"})
    assert "CANCELED" == refusal.value.reason_code


async def test_exported_line_of_odd_pennies_is_a_surprise(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Settlement is exact or stops, whichever way it came."""
    with pytest.raises(ProtocolSurprise, match="TL05: line x"):
        await exported(
            market, api, "ndjson", b'{"id":"x","date_created":"2026-02-01","amount":1.005}'
        )


# ── SBC11 ───────────────────────────────────────────────────────────────────────────────────


async def test_cycle_has_its_totals_by_name(market: ScriptedServer, api: SellerApi) -> None:
    """The pairs and the single ones; a total that nobody knows is passed over."""
    summary = {
        "total_payable_orders_excl_tax": 56.21,
        "total_payable_orders_incl_tax": "67.45",
        "total_commissions_incl_tax": -16.19,
        "total_refund_fee_operator_remitted_excl_tax": None,
        "total_operator_remitted_taxes": 0,
        "total_of_something_new": {"a": 1},
    }
    market.will_say(
        said(200, {"data": [{**PAID_CYCLE, "summary": summary}, {**PAID_CYCLE, "id": "c2"}]})
    )

    first, second = await api.billing_cycles(SINCE)

    assert (
        CycleSummary(
            payable_orders=TaxedTotal(excluding_tax=Money(5621), including_tax=Money(6745)),
            commissions=TaxedTotal(including_tax=Money(-1619)),
            operator_remitted_taxes=Money(0),
        )
        == first.summary
    )
    assert second.summary is not None
    assert Money(5621) == second.summary.payable_orders.excluding_tax


# ── IV01, IV02 ──────────────────────────────────────────────────────────────────────────────


async def test_invoices_of_every_type_are_asked_for(
    market: ScriptedServer, api: SellerApi
) -> None:
    """The default is AUTO_INVOICE, and documents by hand would be missed (b.6)."""
    market.will_say(said(200, {"invoices": [INVOICE], "total_count": 1}))

    (read,) = await api.invoices(SINCE, cycle_ids=["c1"])

    assert [
        ("type", "ALL"),
        ("start_date", "2026-02-03T08:00:00Z"),
        ("seller_billing_cycle_id", "c1"),
        ("offset", "0"),
        ("max", "100"),
    ] == market.asked[0].query
    assert (981, "6b0c7d1e", "MANUAL_CREDIT", "PAID", "BACS-1", "000117", "5f0a9f1e") == (
        read.invoice_id,
        read.document_id,
        read.kind,
        read.payment_state,
        read.payment_reference,
        read.voucher,
        read.cycle_id,
    )
    assert (Money(1000), Money(1200), Money(2102), Money(2243)) == (
        read.total_excluding_tax,
        read.total_including_tax,
        read.amount_transferred,
        read.amount_to_operator,
    )
    (detail,) = read.details
    assert ("Goodwill", Money(1000), 1, "700123456-A", date(2026, 2, 10)) == (
        detail.description,
        detail.amount_excluding_tax,
        detail.quantity,
        detail.order_id,
        detail.operation_date,
    )
    assert (InvoiceTax(code="TAXDEFAULT", amount=Money(200)),) == detail.taxes == read.taxes


async def test_invoice_without_summary_has_no_payout(
    market: ScriptedServer, api: SellerApi
) -> None:
    """The summary is in samples only; an invoice's total is never the payout (f.24)."""
    sparse = {"invoice_id": "5", "issue_date": "2026-02-11", "total_charged_amount": 3}
    market.will_say(said(200, {"invoices": [sparse], "total_count": 1}))

    (read,) = await api.invoices()

    assert (5, Money(300), None, "UNKNOWN") == (
        read.invoice_id,
        read.total_including_tax,
        read.amount_transferred,
        read.kind,
    )


async def test_invoice_document_comes_byte_by_byte(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A PDF holds NULs and whatever else; it is handed on as it came."""
    document = b"%PDF-1.7\n\x00\x01\\u0000\xff\xfe"
    market.will_say(said(200, document, headers={"Content-Type": "application/pdf"}))

    assert document == await api.invoice_document(981)
    assert "/api/invoices/981" == market.asked[0].path


@pytest.mark.parametrize("answer", [b"<html>log in</html>", b"%PDF-" + b"x" * 200, b""])
async def test_invoice_document_that_is_none_or_too_long_is_a_surprise(
    market: ScriptedServer, make_api: MakeApi, answer: bytes
) -> None:
    """Nobody files a log-in page as an invoice."""
    market.will_say(said(200, answer))

    with pytest.raises(ProtocolSurprise, match="IV02 of invoice 981"):
        await make_api(document_bytes_max=100).invoice_document(981)
