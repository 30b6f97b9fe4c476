"""The accounting operations of the John Lewis face: TL02, SBC11, IV01, IV02.

Promises: fields, filters and pages of the contract (b.6); amounts signed as the ledger has
them. IV01 shows automatic invoices unless others are asked for. It adds nothing up.
Called by the face's routes, for keys with the accounting role.
"""

from aiohttp import web

from kcjl.money import Money
from kcjl.sandbox.johnlewis.answers import Json, amount, answer, instant, page_of, second
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.johnlewis.invoice_pdf import invoice_pdf
from kcjl.sandbox.johnlewis.order_view import references
from kcjl.sandbox.marketplace import ApiError, BillingCycle, Invoice, Order, TransactionLine
from kcjl.sandbox.marketplace.inputs import PostalAddress
from kcjl.sandbox.marketplace.recency import seek
from kcjl.sandbox.marketplace.search import TransactionSearch, find_transactions

__all__ = [
    "PAYMENT_STATES",
    "invoice_file",
    "list_cycles",
    "list_invoices",
    "list_transactions",
    "transaction_view",
]

TRANSACTIONS_MAX = 2000
CYCLES_MAX = 1000
PAYMENT_STATES = frozenset({"PENDING", "PAYABLE", "PAID", "NOT_APPLICABLE", "RESERVE"})
PAYOUT_STATES = frozenset({"TO_PAY", "PAID", "FAILED"})
INVOICE_KINDS = frozenset({"ALL", "AUTO_INVOICE", "MANUAL_INVOICE", "MANUAL_CREDIT"})
INVOICE_PAYMENT_STATES = frozenset({"PENDING", "PAID", "FAILED"})
SHOP_MODELS = frozenset({"MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"})
ISSUERS = frozenset({"OPERATOR", "SHOP"})
PSP = "NOT_SPECIFIED"


# ── transaction lines ───────────────────────────────────────────────────────────────────────


def list_transactions(asked: Asked) -> web.Response:
    """TL02."""
    page = asked.seek_page(
        ("dateCreated", "lastUpdated"), most=TRANSACTIONS_MAX, default="dateCreated,DESC"
    )
    search = TransactionSearch(
        updated_from=asked.moment("last_updated_from"),
        created_from=asked.moment("date_created_from"),
        created_to=asked.moment("date_created_to"),
        transaction_from=asked.moment("transaction_date_from"),
        transaction_to=asked.moment("transaction_date_to"),
        cycle_ids=asked.listed("seller_billing_cycle_id"),
        payment_states=asked.among("payment_state", PAYMENT_STATES),
        kinds=asked.listed("transaction_type"),
        order_ids=asked.listed("order_id"),
        order_line_ids=asked.listed("order_line_id"),
        customer_references=asked.listed("order_reference_for_customer"),
        seller_references=asked.listed("order_reference_for_seller"),
        document_numbers=asked.listed("accounting_document_number"),
        document_ids=asked.listed("accounting_document_id"),
    )
    marketplace = asked.marketplace
    if not _may_match(asked):
        return _page([], None)
    rows, last = find_transactions(
        marketplace.ledger,
        marketplace.book,
        search,
        by_update=page.field == "lastUpdated",
        descending=page.descending,
        after=page.after,
        limit=page.limit,
    )
    return _page([transaction_view(asked, line) for line in rows], page.token(last))


def _may_match(asked: Asked) -> bool:
    """Filters that all lines of this tenant answer alike: one model, one PSP, no other tie."""
    models = asked.among("shop_model", SHOP_MODELS)
    psps = asked.listed("pay_out_psp_codes")
    return (
        (not models or asked.settings.shop_model in models)
        and (not psps or PSP in psps)
        and not asked.listed("other_reference")
    )


def _page(rows: list[Json], token: str | None) -> web.Response:
    return answer({"data": rows, "next_page_token": token, "previous_page_token": None})


def transaction_view(asked: Asked, line: TransactionLine) -> Json:
    """A line as TL02 and TL05 show it."""
    settings = asked.settings
    order = asked.marketplace.orders[line.order_id] if line.order_id else None
    nothing = Money(0, line.amount.currency)
    is_credit = line.amount.amount_minor > 0
    return {
        "id": line.line_id,
        "type": line.kind,
        "amount": amount(line.amount),
        "amount_credited": amount(line.amount if is_credit else nothing),
        "amount_debited": amount(nothing if is_credit else -line.amount),
        "balance": amount(line.balance),
        "psp_balance": None,
        "pay_out_psp_code": PSP,
        "currency_iso_code": line.amount.currency,
        "date_created": instant(line.created_at),
        "last_updated": instant(line.updated_at),
        "payment_state": line.payment_state,
        "payment_voucher_number": line.voucher,
        "seller_billing_cycle_id": line.cycle_id,
        "accounting_document_number": line.document_number,
        "accounting_document_id": line.document_id,
        "accounting_document_creation_date": second(line.document_at),
        "shop": {
            "id": settings.shop_id,
            "model": settings.shop_model,
            "operator_internal_id": settings.shop_operator_internal_id,
            "domains": ["PRODUCT"],
        },
        "entities": _entities(asked, line, order),
    }


def _entities(asked: Asked, line: TransactionLine, order: Order | None) -> Json:
    """What the line is tied to; ties that it has not are left out."""
    entities: Json = {"domain": "PRODUCT", "channel": {"code": asked.settings.channel_code}}
    if order is not None:
        entities["order"] = {
            "id": order.order_id,
            "commercial_id": order.commercial_id,
            "creation_date": second(order.created_at),
            "references": references(order),
            "payment_info": {"payment_type": "CARD", "imprint_number": None},
        }
    if line.order_line_id is not None:
        entities["order_line"] = {"id": line.order_line_id}
    if line.refund_id is not None:
        entities["refund"] = {"id": line.refund_id}
    if line.tax is not None:
        of_order = line.kind.startswith(("ORDER_", "REFUND_ORDER_"))
        tie = "order_tax" if of_order else "shop_tax"
        entities[tie] = {"code": line.tax.code, "rate": line.tax.rate}
    if line.manual_document is not None:
        entities["manual_accounting_document"] = {"number": line.manual_document}
    if line.one_off is not None:
        entities["one_off_item"] = {
            "description": line.one_off,
            "quantity": 1,
            "unit_price": amount(line.amount),
            "operation_date": second(line.created_at),
            "references": [],
        }
    if line.fee_code is not None:
        entities["fee"] = {"code": line.fee_code, "cancelations": [], "refunds": []}
    if line.transaction_number is not None:
        entities["transaction_info"] = {
            "number": line.transaction_number,
            "date": second(line.transaction_at),
        }
    return entities


# ── billing cycles ──────────────────────────────────────────────────────────────────────────


def list_cycles(asked: Asked) -> web.Response:
    """SBC11."""
    page = asked.seek_page(("dateCreated",), most=CYCLES_MAX, default="dateCreated,DESC")
    cycle_ids = asked.listed("id")
    states = asked.among("pay_out_state", PAYOUT_STATES)
    since, until = asked.moment("start_date"), asked.moment("end_date")
    if asked.text("currency") not in {None, asked.settings.currency}:
        return _page([], None)
    if asked.text("pay_out_psp_code") not in {None, PSP}:
        return _page([], None)

    def fits(cycle: BillingCycle) -> bool:
        return (
            (not cycle_ids or cycle.cycle_id in cycle_ids)
            and (not states or cycle.payout_state in states)
            and (since is None or since <= cycle.created_at)
            and (until is None or cycle.created_at <= until)
        )

    cycles = list(asked.marketplace.cycles.values())
    if page.descending:
        stop = len(cycles) if page.after is None else page.after
        rows, last = seek(reversed(range(stop)), cycles.__getitem__, fits, page.limit)
    else:
        start = 0 if page.after is None else page.after + 1
        rows, last = seek(range(start, len(cycles)), cycles.__getitem__, fits, page.limit)
    return _page([_cycle(asked, cycle) for cycle in rows], page.token(last))


def _cycle(asked: Asked, cycle: BillingCycle) -> Json:
    settings = asked.settings
    return {
        "id": cycle.cycle_id,
        "date_created": second(cycle.created_at),
        "payment_voucher_number": cycle.voucher,
        "currency_iso_code": settings.currency,
        "amount_transferred_to_seller": amount(cycle.amount_to_seller),
        "amount_transferred_to_operator": amount(cycle.amount_to_operator),
        "pay_out": _payout(cycle, waiting="TO_PAY"),
        "pay_out_psp_code": PSP,
        "shop": {
            "shop_id": settings.shop_id,
            "shop_name": settings.shop_name,
            "shop_corporate_name": settings.shop_corporate_name,
            "shop_model": settings.shop_model,
            "shop_operator_internal_id": settings.shop_operator_internal_id,
        },
        "summary": {name: amount(total) for name, total in cycle.summary.items()},
    }


def _payout(cycle: BillingCycle, *, waiting: str) -> Json:
    return {
        "state": waiting if cycle.payout_state == "TO_PAY" else cycle.payout_state,
        "reference": cycle.payout_reference,
        "transaction_date": second(cycle.paid_at),
        "failure_reason": cycle.failure_reason,
    }


# ── invoices ────────────────────────────────────────────────────────────────────────────────


def list_invoices(asked: Asked) -> web.Response:
    """IV01."""
    kinds = asked.among("type", INVOICE_KINDS) or ("AUTO_INVOICE",)
    states = asked.among("payment_status", INVOICE_PAYMENT_STATES)
    cycle_ids = asked.listed("seller_billing_cycle_id")
    invoice_ids = asked.listed("invoice_id")
    since, until = asked.moment("start_date"), asked.moment("end_date")
    if asked.text("currency") not in {None, asked.settings.currency}:
        raise ApiError.of(400, f"currency: '{asked.text('currency')}' is not the shop's")
    if asked.text("sort") not in {None, "dateCreated"}:
        raise ApiError.of(400, f"sort: '{asked.text('sort')}' is not possible here")
    issuers = asked.among("issuing_user_types", ISSUERS)
    found = [
        invoice
        for invoice in asked.marketplace.invoices.values()
        if ("ALL" in kinds or invoice.kind in kinds)
        and (not issuers or "OPERATOR" in issuers)
        and (not states or _payment(asked, invoice)["state"] in states)
        and (not cycle_ids or invoice.cycle_id in cycle_ids)
        and (not invoice_ids or str(invoice.invoice_id) in invoice_ids)
        and (since is None or since <= invoice.created_at)
        and (until is None or invoice.created_at <= until)
    ]
    if asked.text("order") == "desc":
        found.reverse()
    page, headers = page_of(asked, found)
    shown = [_invoice(asked, invoice) for invoice in page]
    return answer({"invoices": shown, "total_count": len(found)}, headers=headers)


def _payment(asked: Asked, invoice: Invoice) -> Json:
    cycle = asked.marketplace.cycles.get(invoice.cycle_id or "")
    if cycle is None:
        return {
            "state": "PENDING",
            "reference": None,
            "transaction_date": None,
            "failure_reason": None,
        }
    return _payout(cycle, waiting="PENDING")


def _invoice(asked: Asked, invoice: Invoice) -> Json:
    settings = asked.settings
    cycle = asked.marketplace.cycles.get(invoice.cycle_id or "")
    is_of_cycle = invoice.kind == "AUTO_INVOICE"
    including = amount(Money(invoice.amount + invoice.tax, settings.currency))
    code = settings.commission_tax_code
    return {
        "invoice_id": invoice.invoice_id,
        "id": invoice.document_id,
        "number": invoice.number,
        "type": invoice.kind,
        "state": "COMPLETE",
        "date_created": second(invoice.created_at),
        "issue_date": second(invoice.created_at),
        "due_date": second(invoice.created_at),
        "start_time": second(invoice.start_at),
        "end_time": second(invoice.end_at),
        "currency_iso_code": settings.currency,
        "payment": _payment(asked, invoice),
        "payment_voucher_number": cycle.voucher if cycle else None,
        "seller_billing_cycle_id": invoice.cycle_id,
        "summary": _invoice_summary(cycle) if cycle and is_of_cycle else None,
        "details": [
            {
                "description": detail.description,
                "quantity": 1,
                "amount_excl_taxes": amount(detail.amount),
                "taxes": [{"code": code, "amount": amount(detail.tax)}],
                "order_id": detail.order_id,
                "operation_date": second(invoice.created_at),
            }
            for detail in invoice.details
        ],
        "total_amount_excl_taxes": amount(Money(invoice.amount, settings.currency)),
        "total_amount_incl_taxes": including,
        "total_charged_amount": including,
        "total_taxes": [
            {"code": code, "amount": amount(Money(invoice.tax, settings.currency))}
        ],
        "shop_id": settings.shop_id,
        "shop_name": settings.shop_name,
        "shop_model": settings.shop_model,
        "shop_corporate_name": settings.shop_corporate_name,
        "shop_operator_internal_id": settings.shop_operator_internal_id,
        "shop_tax_number": settings.shop_tax_number,
        "shop_address": _shop_address(settings.shop_address),
        "issuing_user_type": "OPERATOR",
    }


def _shop_address(place: PostalAddress) -> Json:
    return {
        "company": place.company,
        "street1": place.street_1,
        "street2": place.street_2,
        "zip_code": place.postcode,
        "city": place.city,
        "state": place.county,
        "country": place.country,
        "country_iso_code": place.country_code,
    }


def _invoice_summary(cycle: BillingCycle) -> Json:
    return {
        "amount_transferred": amount(cycle.amount_to_seller),
        "amount_transferred_to_operator": amount(cycle.amount_to_operator),
        **{name: amount(total) for name, total in cycle.summary.items()},
    }


def invoice_file(asked: Asked) -> web.Response:
    """IV02, by the invoice's number or its document id."""
    wanted = asked.path["invoice_id"]
    for invoice in asked.marketplace.invoices.values():
        if wanted in {str(invoice.invoice_id), invoice.document_id}:
            name = f"{invoice.number}.pdf"
            return web.Response(
                body=invoice_pdf(asked.settings, invoice),
                content_type="application/pdf",
                headers={"Content-Disposition": f'attachment; filename="{name}"'},
            )
    raise ApiError.of(404, f"Invoice {wanted} not found")
