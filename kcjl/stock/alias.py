"""One-off aliases, the rules: a SKU that stands for a stock code because a person said so.

Promises: pure; an alias names a stock code that the ERP has, and is never laid over a SKU that
is a stock code itself; what is already so is nothing new; a withdrawn alias shuts the gate
until the SKU itself is confirmed. An alias whose code is gone or discontinued falls when the
ERP has the SKU itself by then. It does no I/O.
Called by `actor.py`. Source: design 6 (gate), law 9.
"""

from collections.abc import Sequence
from datetime import datetime

from kcjl.errors import NotFound, Refused
from kcjl.stock.events import (
    SkuAliasApproved,
    SkuAliasWithdrawn,
    SkuConfirmed,
    SkuUnmatched,
    stock_key,
)
from kcjl.stock.nearest import how_near
from kcjl.stock.state import Product
from kcjl.vocabulary import Event

__all__ = ["decide_alias", "decide_fallen", "decide_withdrawal", "has_fallen"]


def decide_alias(
    product: Product | None,
    *,
    sku: str,
    code: str,
    own: SkuConfirmed | None,
    named: SkuConfirmed | None,
    nearest: Sequence[str],
    now: datetime,
) -> tuple[Event, ...]:
    """A person names a stock code for a SKU.

    `own`, `named`: what the ERP has under the SKU itself and under the code, said of this SKU;
    `nearest`: to the code, where there is none. Raises NotFound and Refused, which say what to
    do instead.
    """
    if product is None:
        raise NotFound(
            f"no offer and no order has the SKU {sku!r}: see `kcjl stock list`, and mind that "
            "the SKU is the marketplace's and the stock code the ERP's"
        )
    if named is None:
        proposed = "; ".join(f"{each} ({how_near(code, each).reason})" for each in nearest)
        raise NotFound(
            f"the ERP has no stock code {code!r}, so {sku} can't stand for it; nearest codes: "
            + (proposed or "none")
        )
    if own is not None:
        raise Refused(
            f"the ERP has {sku} as a stock code itself ({own.stock_code}), so it needs no alias"
            + (
                ""
                if stock_key(own.stock_code) != stock_key(code)
                else ": nothing is to be done"
            )
        )
    if named.discontinued:
        raise Refused(
            f"stock code {named.stock_code} is discontinued in the ERP: nothing could be sold "
            f"under it; {sku} stays as it is"
        )
    if product.alias == named.stock_code:
        return ()
    return (
        SkuAliasApproved(sku=product.sku, stock_code=named.stock_code, occurred_at=now),
        named,
    )


def decide_withdrawal(
    product: Product | None,
    *,
    sku: str,
    own: SkuConfirmed | None,
    nearest: Sequence[str],
    now: datetime,
) -> tuple[Event, ...]:
    """A person takes an alias back: the SKU is what the ERP says of it. Raises NotFound."""
    if product is None or not product.alias:
        raise NotFound(f"{sku} stands for no other stock code: there is nothing to withdraw")
    withdrawn = SkuAliasWithdrawn(sku=product.sku, stock_code=product.alias, occurred_at=now)
    if own is not None:
        return (withdrawn, own)
    because = f"its alias {product.alias} was withdrawn"
    unmatched = SkuUnmatched(
        sku=product.sku, nearest=tuple(nearest), because=because, occurred_at=now
    )
    return (withdrawn, unmatched)


def has_fallen(product: Product, answer: SkuConfirmed | SkuUnmatched) -> bool:
    """Nothing can be sold any more under the code that a person named for the SKU."""
    gone = isinstance(answer, SkuUnmatched) or answer.discontinued
    return bool(product.alias) and gone


def decide_fallen(product: Product, itself: SkuConfirmed) -> tuple[Event, ...]:
    """The SKU has become a stock code itself: that is what an alias stood in for."""
    withdrawn = SkuAliasWithdrawn(
        sku=product.sku, stock_code=product.alias, occurred_at=itself.occurred_at
    )
    return (withdrawn, itself)
