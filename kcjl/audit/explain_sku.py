"""Why so many of a product: its sum in sentences, and the events behind it.

Promises: told from all that had been recorded by the position, and nothing later.
Called by `kcjl explain sku` and `kcjl stock explain`.
"""

from collections.abc import Iterator

import msgspec

from kcjl.audit.explain import clock
from kcjl.database import Database
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.port import Recorded
from kcjl.log.queries import PostgresQueries
from kcjl.projections.stockreading import StockRows
from kcjl.stock.explained import Explained, Step, explained, steps_of
from kcjl.stock.origins import origins_of

__all__ = ["SkuStory", "around", "sku_story", "summary"]


class SkuStory(msgspec.Struct, frozen=True, kw_only=True):
    """The sum, and how it came about."""

    sum: Explained
    steps: tuple[Step, ...]
    events: tuple[Recorded, ...]
    """Those of the steps."""


async def sku_story(database: Database, merchant: str, sku: str, position: int) -> SkuStory:
    """`database`: as it was at the position. Raises NotFound."""
    queries = PostgresQueries(database, merchant, vocabulary())
    rows = StockRows(database, merchant)
    product = await rows.product(sku)
    if product is None:
        raise NotFound(
            f"as of position {position:,} no offer and no order of {merchant} had the "
            f"SKU {sku!r}: name a later time, or see `kcjl stock list`"
        )
    sharing = await rows.sharing(product)
    origins = await origins_of(queries, sharing, to=position)
    conditions = await rows.conditions(queries, to=position)
    reads = await rows.reads(queries, position)
    steps = steps_of(sharing, origins)
    told = {step.origin.position for step in steps}
    return SkuStory(
        sum=explained(product, sharing, conditions, reads, origins, position=position),
        steps=steps,
        events=tuple(each for each in origins.chain if each.position in told),
    )


def summary(found: Explained) -> str:
    """The figure, and what takes away from it."""
    sums = [
        f"{abs(term.units):,} for {term.name}" for term in found.terms[1:] if term.units < 0
    ]
    less = f", less {'; '.join(sums)}" if sums else ""
    if found.gate != "open":
        return f"nothing of {found.sku} can be sold: {found.gate}."
    first = found.terms[0]
    return (
        f"{found.quantity:,} of {found.sku} can be sold: {first.units:,} ({first.why}){less}."
    )


def around(found: Explained) -> Iterator[str]:
    """Whose stock it is, what the marketplace shows of it, and by which policy."""
    if found.alias:
        yield f"{found.sku} stands for stock code {found.alias} because a person said so."
    if found.shares_with:
        yield f"It shares its stock with {', '.join(found.shares_with)}."
    for offer in found.offers:
        if offer.acknowledged is None:
            yield f"The marketplace had acknowledged no figure of ours for {offer.sku}."
        else:
            when = (
                "" if offer.acknowledged_at is None else f" at {clock(offer.acknowledged_at)}"
            )
            yield f"The marketplace had acknowledged {offer.acknowledged:,}{when}."
        if offer.sent is not None:
            yield f"{offer.sent:,} were on their way to it."
        if offer.waits_for:
            yield f"No other figure goes out: {offer.waits_for}."
    yield f"Policy version {found.policy_version} was in force."
