"""TL02, TL03 to TL05, SBC11, IV01 and IV02, client against sandbox, happy and failing."""

from collections.abc import Awaitable, Callable

import pytest

from kcjl.errors import CredentialsRefused, NotFound, Refused
from kcjl.johnlewis.account_port import TransactionFilter
from kcjl.johnlewis.port import TransactionLine
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiKey
from kcjl.sandbox.marketplace import TransactionLine as KeptLine
from tests.johnlewis.test_seller_api_sandbox import serving
from tests.johnlewis.test_seller_api_sandbox_exports import all_of
from tests.sandbox.marketplace_shop import BEGINNING, Shop, quick

pytestmark = pytest.mark.anyio


def told(lines: list[TransactionLine]) -> list[tuple[str, str, Money, str | None]]:
    return sorted((each.line_id, each.kind, each.amount, each.order_id) for each in lines)


def kept(lines: list[KeptLine]) -> list[tuple[str, str, Money, str | None]]:
    return sorted((each.line_id, each.kind, each.amount, each.order_id) for each in lines)


def paid_out(shop: Shop) -> None:
    """Two orders, a credit by hand, and a cycle that pays."""
    shop.received_order()
    shop.received_order(1, 0)
    shop.marketplace.operator_credits(Money(500), "Sorry")
    shop.marketplace.run_cycle()
    shop.wait(hours=72)


async def test_lines_of_the_account_are_those_of_the_ledger() -> None:
    """TL02 by time, by kind, by order; TL03 to TL05 by voucher, in both forms."""
    async with serving() as world:
        paid_out(world.shop)
        shop, api = world.shop.marketplace, world.api()
        (cycle,) = shop.cycles.values()
        order_id = next(iter(shop.orders))
        everything = await api.transaction_lines(BEGINNING)
        fees = await api.transaction_lines_of(TransactionFilter(kinds=("COMMISSION_FEE",)))
        of_order = await api.transaction_lines_of(TransactionFilter(order_ids=(order_id,)))
        of_voucher = TransactionFilter(voucher=cycle.voucher)
        exported = await all_of(api.transaction_lines_exported(of_voucher))
        by_line = await all_of(api.transaction_lines_exported(of_voucher, form="ndjson"))
        ledger = list(shop.transactions.values())

    assert kept(ledger) == told(list(everything))
    assert kept([each for each in ledger if each.kind == "COMMISSION_FEE"]) == told(list(fees))
    assert kept([each for each in ledger if each.order_id == order_id]) == told(list(of_order))
    assert kept([each for each in ledger if each.voucher == cycle.voucher]) == told(exported)
    assert told(exported) == told(by_line)


async def test_cycles_and_invoices_are_those_of_the_books() -> None:
    """SBC11, IV01 with the documents made by hand, and IV02's file."""
    async with serving() as world:
        paid_out(world.shop)
        shop, api = world.shop.marketplace, world.api()
        cycles = await api.billing_cycles(BEGINNING)
        invoices = await api.invoices(BEGINNING)
        (by_hand,) = [each for each in invoices if each.kind == "MANUAL_CREDIT"]
        document = await api.invoice_document(by_hand.invoice_id)

    assert {
        each.cycle_id: (each.voucher, each.amount_to_seller, "PAID")
        for each in shop.cycles.values()
    } == {
        each.cycle_id: (each.voucher, each.amount_to_seller, each.payout_state)
        for each in cycles
    }
    assert {each.invoice_id: each.kind for each in shop.invoices.values()} == {
        each.invoice_id: each.kind for each in invoices
    }
    assert document.startswith(b"%PDF-")


async def test_payout_that_fails_says_why() -> None:
    """SBC11: FAILED with the operator's reason."""
    async with serving(quick(call_limits=True, payout_failure="INCOMPLETE_KYC")) as world:
        paid_out(world.shop)
        (cycle,) = await world.api().billing_cycles(BEGINNING)

    assert ("FAILED", "INCOMPLETE_KYC") == (cycle.payout_state, cycle.failure_reason)


CALLS: dict[str, Callable[[SellerApi], Awaitable[object]]] = {
    "TL02": lambda api: api.transaction_lines(BEGINNING),
    "TL03": lambda api: all_of(api.transaction_lines_exported(TransactionFilter())),
    "SBC11": lambda api: api.billing_cycles(BEGINNING),
    "IV01": SellerApi.invoices,
    "IV02": lambda api: api.invoice_document(1),
}


@pytest.mark.parametrize("operation", CALLS)
async def test_account_is_closed_to_who_lacks_the_role(operation: str) -> None:
    """A right key without the accounting role is a 403, which no retry mends."""
    clerk = ApiKey(key="clerk", accounting=False)
    async with serving(quick(call_limits=True, api_keys=(clerk,))) as world:
        with pytest.raises(CredentialsRefused) as refusal:
            await CALLS[operation](world.api("clerk"))

    assert (403, True) == (refusal.value.status, refusal.value.message.startswith(operation))


async def test_export_of_lines_that_fails_or_is_lost_is_told() -> None:
    """TL04: FAILED; TL05: a file that is gone. Neither is an empty account."""
    async with serving(quick(call_limits=True)) as world:
        paid_out(world.shop)
        api, shop = world.api(), world.shop
        shop.marketplace.fail_exports(1)
        with pytest.raises(Refused) as failed:
            await all_of(api.transaction_lines_exported(TransactionFilter()))
        world.before_each.append(
            lambda operation: shop.wait(hours=25) if operation == "TL05" else None
        )
        with pytest.raises(NotFound) as gone:
            await all_of(api.transaction_lines_exported(TransactionFilter()))

    assert "FAILED" == failed.value.reason_code
    assert failed.value.message.startswith("TL04")
    assert gone.value.message.startswith("TL05")


async def test_invoice_that_nobody_wrote_is_not_found() -> None:
    """IV02: no invoice, no file."""
    async with serving() as world:
        with pytest.raises(NotFound):
            await world.api().invoice_document(1)
