"""What can be done about policy, as proposals: approve, map a courier, name an account.

Promises: the effect in the trade's words; a proposed policy is approved with a typed word, and
with what it would change, where that was worked out. Where nothing can be done it says why, in
a line. It sends nothing. Called by the policy screen.
"""

from kcjl.command import Command
from kcjl.readmodels_policy import PolicyKind, PolicyRow, WhatIf
from tui.model.policy import CHANGES_SHOWN, changes_text
from tui.model.proposal import Field, Proposal

__all__ = ["approve_proposal", "set_proposal", "unmap_proposal"]

_REASON = Field(name="reason", label="why (may be left empty)", needed=False)


def approve_proposal(row: PolicyRow, what_if: WhatIf | None) -> Proposal | str:
    """Approve the stock policy that is proposed."""
    if row.kind is not PolicyKind.STOCK or row.state != "proposed":
        return "only a stock policy that is proposed is approved"
    known = what_if is not None and what_if.version == row.version
    effect = (
        f"Changes {changes_text(what_if)}: {what_if.units_now:,} units offered now, "
        f"{what_if.units_then:,} then."
        if what_if is not None and known
        else "It holds from now on, or from the day that it names. v works out first what it "
        "would change."
    )
    return Proposal(
        title=f"Approve stock policy version {row.version}",
        effect=effect,
        commands=(
            Command(verb="stock-policy-approve", arguments={"version": str(row.version)}),
        ),
        lines=tuple(
            f"{sku}: {now:,} → {then:,} · {why}"
            for sku, now, then, why in what_if.largest[:CHANGES_SHOWN]
        )
        if what_if is not None and known
        else (),
        fields=(Field(name="note", label="why (may be left empty)", needed=False),),
        word="approve",
    )


def set_proposal(row: PolicyRow) -> Proposal | str:
    """Another carrier for a courier, another account for a role."""
    if row.kind is PolicyKind.CARRIER:
        return Proposal(
            title=f"Carrier of {row.name}",
            effect="Parcels of this courier are confirmed with that carrier from now on, and "
            "those that wait for it at once. What is confirmed stays as it is.",
            commands=(Command(verb="map-courier", arguments={"courier": row.name}),),
            lines=(f"near to its name: {', '.join(row.nearest)}",) if row.nearest else (),
            fields=(
                Field(
                    name="carrier_code",
                    label="carrier code of the marketplace",
                    value=row.value or next(iter(row.nearest), ""),
                ),
                _REASON,
            ),
        )
    if row.kind is PolicyKind.ACCOUNT:
        return Proposal(
            title=f"Nominal account of {row.name}",
            effect="Journals from now on are booked to it; those that are booked stay.",
            commands=(Command(verb="set-accounts", arguments={}),),
            lines=(f"now {row.says}",),
            fields=(Field(name=row.name, label="nominal account", value=row.value),),
        )
    return "couriers and accounts are set here; a document is set from its file (kcjl --help)"


def unmap_proposal(row: PolicyRow) -> Proposal | str:
    """Take a courier out of the map."""
    if row.kind is not PolicyKind.CARRIER or not row.version or not row.value:
        return "only a courier that somebody has mapped is taken out of the map"
    return Proposal(
        title=f"Take {row.name} out of the carrier map",
        effect="Its parcels wait from now on, unless its name is a carrier's. What is "
        "confirmed stays confirmed.",
        commands=(Command(verb="unmap-courier", arguments={"courier": row.name}),),
        lines=(f"now {row.says}",),
        fields=(_REASON,),
        word="take out",
    )
