"""What is written to the sandbox's marketplace, and what it refuses, as the adapter has them.

Promises: a stock file, a tracking and a parcel as the face hands them to the model; refusals as
the seller API's errors. What the adapter would not send is `Misuse`. It sends nothing.
Called by the simulated marketplace.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from kcjl.errors import CredentialsRefused, Misuse, NotFound, Refused
from kcjl.johnlewis import port as shop
from kcjl.johnlewis.reading import words_of_refusal
from kcjl.johnlewis.reversal_port import ReversalMade, ReversalRequest
from kcjl.sandbox.johnlewis.answers import encoded
from kcjl.sandbox.marketplace import ApiError

__all__ = [
    "cell",
    "only",
    "parcel_asked",
    "refusals",
    "reversal_asked",
    "reversal_told",
    "stock_file",
    "tracking_asked",
]

T = TypeVar("T")

STOCK_LINES_MAX = 10_000


@contextmanager
def refusals(operation: str) -> Iterator[None]:
    """What the marketplace refuses, as the adapter's errors."""
    try:
        yield
    except ApiError as refused:
        words, reason_code = words_of_refusal(encoded(refused.body))
        kind = {401: CredentialsRefused, 403: CredentialsRefused, 404: NotFound}.get(
            refused.status, Refused
        )
        message = f"{operation}: answered {refused.status}: {words or 'no reason given'}"
        raise kind(message, reason_code=reason_code, status=refused.status) from None


def stock_file(figures: Sequence[shop.StockFigure]) -> str:
    if not 0 < len(figures) <= STOCK_LINES_MAX:
        raise Misuse(f"STO01: {len(figures)} lines; a stock file has 1 to {STOCK_LINES_MAX}")
    if len({figure.sku for figure in figures}) < len(figures):
        raise Misuse("STO01: a SKU stands on two lines, and the last would win unseen")
    rows = ['"offer-sku";"quantity";"warehouse-code";"update-delete"\n']
    for figure in figures:
        if not figure.sku.strip() or not figure.sku.isprintable() or figure.quantity < 0:
            raise Misuse(f"STO01: {figure.sku!r} × {figure.quantity} can't be published")
        sku = figure.sku.replace('"', '""')
        rows.append(f'"{sku}";"{figure.quantity}";"";""\n')
    return "".join(rows)


def cell(columns: Sequence[str], cells: Sequence[str], name: str) -> str:
    return dict(zip(columns, cells, strict=False)).get(name, "")


def tracking_asked(tracking: shop.Tracking) -> dict[str, str | None]:
    return {
        "carrier_code": tracking.carrier_code or None,
        "carrier_standard_code": None,
        "carrier_name": tracking.carrier_name or None,
        "carrier_url": None,
        "tracking_number": tracking.tracking_number or None,
    }


def parcel_asked(request: shop.ShipmentRequest) -> dict[str, object]:
    """ST01's parcel in the marketplace's words, without what was not said."""
    lines = [
        {
            "quantity": units,
            "order_line_id": line,
            "offer_sku": None,
            "package_reference": request.package_reference or None,
        }
        for line, units in request.lines
    ]
    said: dict[str, object] = {
        "order_id": request.order_id,
        "shipment_lines": lines,
        "shipped": True,
        "additional": [],
    }
    if request.tracking is not None:
        tracking = tracking_asked(request.tracking)
        del tracking["carrier_url"]
        said["tracking"] = {**tracking, "tracking_url": None}
    if request.invoice_reference:
        said["invoice_reference"] = request.invoice_reference
    return said


def only(made: object, kind: type[T]) -> T:
    """The one thing that a call of one has made."""
    match made:
        case [each] if isinstance(each, kind):
            return each
        case _:
            raise TypeError(f"something else than one {kind.__name__} was made")


def reversal_asked(request: ReversalRequest) -> dict[str, object]:
    """One refund or cancelation as the face hands it to the model."""
    return {
        "order_line_id": request.line_id,
        "amount": str(request.amount.decimal()),
        "shipping_amount": str(request.shipping_amount.decimal()),
        "quantity": request.quantity,
        "reason_code": request.reason_code,
        "taxes": [
            {"code": tax.code, "amount": str(tax.amount.decimal())} for tax in request.taxes
        ],
        "shipping_taxes": [
            {"code": tax.code, "amount": str(tax.amount.decimal())}
            for tax in request.shipping_taxes
        ],
    }


def reversal_told(request: ReversalRequest, reversal_id: str) -> ReversalMade:
    """What the adapter makes of the answer: as it was asked, with the id that it was given."""
    return ReversalMade(
        reversal_id=reversal_id,
        line_id=request.line_id,
        amount=request.amount,
        shipping_amount=request.shipping_amount,
        reason_code=request.reason_code,
        quantity=request.quantity,
        as_asked=True,
    )
