"""What can be done about stock, as proposals: an offer, a stock code, a guard, a buffer.

Promises: the effect in the trade's words; what stops, or takes another policy's place, asks for
a word to be typed. Where nothing can be done it says why, in a line. It sends nothing.
Called by the stock and the policy screen, and for the kill switch by every screen.
"""

from collections.abc import Sequence

from kcjl.command import Command
from kcjl.readmodels import Overview
from kcjl.readmodels_stock import ProductRow, ProductsCut
from kcjl.stock.guards import TO_ZERO
from tui.model.proposal import Field, Proposal

__all__ = [
    "alias_proposal",
    "buffer_proposal",
    "publishing_proposal",
    "release_proposal",
    "retry_proposal",
    "unalias_proposal",
    "writes_proposal",
]

_REASON = Field(name="reason", label="why", hint="it stands in the log")


def retry_proposal(rows: Sequence[ProductRow]) -> Proposal | str:
    """Send refused figures again."""
    refused = [(row, sku) for row in rows for sku in row.refused]
    if not refused:
        return "nothing of it was refused: there is no figure to send again"
    count = len(refused)
    return Proposal(
        title=f"Retry {count:,} offer{'' if count == 1 else 's'}",
        effect="The figures that the marketplace refused are sent again, as they are by then.",
        commands=tuple(
            Command(verb="retry-offer", arguments={"sku": sku}) for _, sku in refused
        ),
        lines=tuple(f"{sku} · {row.can_be_sold:,} · {row.waits_for}" for row, sku in refused),
    )


def alias_proposal(row: ProductRow) -> Proposal:
    """Say which stock code a SKU stands for."""
    return Proposal(
        title=f"Stock code of {row.sku}",
        effect="The ERP is asked for the code first. Then the SKU is offered from its stock, "
        "held orders go on under it, and all SKUs of the code share one figure.",
        commands=(Command(verb="stock-alias", arguments={"sku": row.sku}),),
        lines=(f"near to it: {', '.join(row.nearest)}",) if row.nearest else (),
        fields=(
            Field(
                name="code",
                label="stock code, as the ERP has it",
                value=row.alias or next(iter(row.nearest), ""),
            ),
        ),
    )


def unalias_proposal(rows: Sequence[ProductRow]) -> Proposal | str:
    """Take aliases back."""
    known = [row for row in rows if row.alias]
    if not known:
        return "it stands for itself: there is no alias to take back"
    return Proposal(
        title=f"Take back {len(known):,} alias{'' if len(known) == 1 else 'es'}",
        effect="Each is offered at 0 at once, unless the ERP has the SKU as a stock code.",
        commands=tuple(
            Command(verb="stock-alias", arguments={"sku": row.sku}) for row in known
        ),
        lines=tuple(
            f"{row.sku} stands for {row.alias} · {row.can_be_sold:,} can be sold now"
            for row in known
        ),
        word="take back",
    )


def release_proposal(cut: ProductsCut | None) -> Proposal | str:
    """Let through what a guard holds."""
    if cut is None or cut.held is None:
        return "no guard holds anything: figures go out as they come"
    held = cut.held
    lines: list[str] = []
    for finding in held.findings:
        does = "go to 0" if finding.guard == TO_ZERO else "move by more than twice"
        lines.append(f"{finding.skus:,} of {finding.offered:,} offers would {does}:")
        lines += [f"  {e.sku}: {e.before:,} → {e.after:,}" for e in finding.examples]
    most = max((each.skus for each in held.findings), default=0)
    return Proposal(
        title="Let the held figures through",
        effect=f"Publishes figures that a guard holds, for {most:,} SKUs and all that wait "
        "behind them. What becomes worse is held again.",
        commands=(Command(verb="release-publish", arguments={"hold_id": held.hold_id}),),
        lines=tuple(lines),
        word="release",
    )


def publishing_proposal(cut: ProductsCut | None) -> Proposal | str:
    """Stop the publishing of stock, or let it go on."""
    if cut is None:
        return "whether stock is published was not read yet"
    switch = "off" if cut.publishing else "on"
    effect = (
        f"The marketplace keeps the figures that it shows of {cut.total:,} SKUs, whatever is "
        "sold elsewhere. Orders and parcels go on."
        if cut.publishing
        else "Figures go out again, as they are now; the guards look at them first."
    )
    return Proposal(
        title=f"Publishing of stock {switch}",
        effect=effect,
        commands=(Command(verb="switch-publishing", arguments={"switch": switch}),),
        fields=(_REASON,),
        word="off" if cut.publishing else "",
    )


def buffer_proposal(policy_version: int) -> Proposal:
    """A policy of one rule."""
    return Proposal(
        title="Set the buffer",
        effect="So many units are held back from every product, from now on. It takes the "
        f"place of the whole stock policy (version {policy_version}): caps, multiples and "
        "seasons hold no more.",
        commands=(Command(verb="set-buffer", arguments={}),),
        fields=(Field(name="units", label="units held back from each product"),),
        word="buffer",
    )


def writes_proposal(overview: Overview | None) -> Proposal:
    """The kill switch. Not knowing how it stands, it is thrown."""
    allowed = overview is None or overview.writes_allowed
    switch = "off" if allowed else "on"
    effect = (
        "Nothing is written to the marketplace or the ERP any more: no stock figure, no "
        "acceptance, no posting, no confirmation. Reading goes on; what would be written "
        "waits, and deadlines run."
        if allowed
        else "Writing begins again, with all that has waited meanwhile."
    )
    return Proposal(
        title=f"All writes {switch}",
        effect=effect,
        commands=(Command(verb="switch-writes", arguments={"switch": switch}),),
        fields=(_REASON,),
        word="stop" if allowed else "go",
    )
