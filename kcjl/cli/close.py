"""`kcjl close MONTH`: the month-end pack, and the month closed with it.

What it does is in `close_month.py`, which is imported when it is called. Called by `main.py`.
"""

from pathlib import Path
from typing import Annotated

import typer

from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant, merchant_of, settings_at
from kcjl.errors import Misuse

__all__ = ["close"]


def close(
    which: Annotated[str, typer.Argument(metavar="MONTH", help="Such as 2026-10.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the files [default: the merchant's journals]."),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why it is closed with a payout that is held.")
    ] = "",
    currency: Annotated[str, typer.Option("--currency", help="Of which lines.")] = "GBP",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only the files; the month stays open.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="The files of a closed month anew; 1 when they differ."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Close a month: a workbook and a PDF of what was known; nothing is dated in it any more.

    What comes late goes to the open month. It has to be over, the month before it closed, and
    its payouts too, or --reason says why not.

    Examples: `kcjl close 2026-10 --preview`, `kcjl close 2026-10`.
    """
    # Workbooks and PDFs take a second to import: only for who wants them.
    from kcjl.cli.close_month import Asked, close_month

    if preview and again:
        raise Misuse("--preview is of an open month, --again of a closed one: give one of them")
    settings = settings_at(config)
    name = merchant_of(settings, merchant)
    folder = out or Path(settings.data_dir) / "journals" / name
    asked = Asked(
        config=config,
        settings=settings,
        merchant=name,
        month=which,
        currency=currency,
        folder=folder.resolve(),
        reason=reason,
        preview=preview,
        again=again,
    )
    raise typer.Exit(close_month(asked, as_json=as_json))
