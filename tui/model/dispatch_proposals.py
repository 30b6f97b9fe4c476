"""What can be said of parcels and of couriers, with its effect in words.

Promises: the verbs and arguments are those of `kcjl dispatch`. Called by the dispatch screen.
"""

from collections.abc import Sequence

from kcjl.command import Command
from kcjl.readmodels_dispatch import ParcelRow
from tui.model.proposal import Field, Proposal

__all__ = ["dispatch_proposal"]

_WHY_PERHAPS = Field(name="reason", label="why (may be left empty)", needed=False)
_CODES_SHOWN = 12


def dispatch_proposal(
    word: str, rows: Sequence[ParcelRow], carriers: Sequence[tuple[str, str]]
) -> Proposal | str:
    """What is to be said of these parcels; a text: why it can't be."""
    if word in ("map", "unmap"):
        return _mapping(word, rows, carriers)
    parcels = [row for row in rows if row.parcel_key]
    if not parcels:
        return "nothing of it is shipped yet: there is no parcel to try again"
    count = f"{parcels[0].key}" if len(parcels) == 1 else f"{len(parcels):,} parcels"
    as_is = word == "as_is"
    return Proposal(
        title=f"{'Send as it is' if as_is else 'Retry'}: {count}",
        effect="The tracking number is right, though its carrier has none such: it is sent as "
        "it is."
        if as_is
        else "What the marketplace has not taken is looked up there, and sent again at once.",
        commands=tuple(
            Command(
                verb="dispatch-as-is" if as_is else "dispatch-retry",
                arguments={
                    "order_id": row.order_id,
                    "parcel_key": row.parcel_key,
                    "reason": "",
                },
            )
            for row in parcels
        ),
        lines=tuple(
            f"{row.key} · {row.state} · {row.courier} {row.number} · {row.message}"
            for row in parcels
        ),
        fields=(_WHY_PERHAPS,),
    )


def _mapping(
    word: str, rows: Sequence[ParcelRow], carriers: Sequence[tuple[str, str]]
) -> Proposal | str:
    couriers = list(dict.fromkeys(row.courier for row in rows))
    if len(couriers) > 1:
        return f"one courier at a time: {', '.join(couriers)} are marked"
    (courier,) = couriers
    waiting = sum(row.state == "unmapped" for row in rows)
    if not courier:
        return "no courier is known of it yet: the ERP names one when it ships"
    if word == "unmap":
        return Proposal(
            title=f"Take {courier} out of the carrier map",
            effect="Its parcels wait then, unless its name is a carrier's. What is confirmed "
            "stays confirmed.",
            commands=(
                Command(verb="unmap-courier", arguments={"courier": courier, "reason": ""}),
            ),
            fields=(_WHY_PERHAPS,),
            word="unmap",
        )
    listed = ", ".join(f"{code} ({label})" for code, label in carriers[:_CODES_SHOWN])
    more = len(carriers) - _CODES_SHOWN
    return Proposal(
        title=f"Map the courier {courier}",
        effect=f"From now on {courier} is that carrier of the marketplace's; parcels that wait "
        f"for it are then confirmed ({waiting:,} of those chosen do).",
        commands=(Command(verb="map-courier", arguments={"courier": courier, "reason": ""}),),
        lines=(
            f"the marketplace has {listed or 'no carriers, as far as is known'}"
            + (f" and {more:,} more" if more > 0 else ""),
        ),
        fields=(
            Field(name="carrier_code", label="carrier code of the marketplace", hint="DPD"),
            _WHY_PERHAPS,
        ),
    )
