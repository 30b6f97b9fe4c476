"""`kcjl stock …`: the verbs of the stock room by name; each has its own file."""

import typer

from kcjl.cli import (
    stock_acting,
    stock_codes,
    stock_explain,
    stock_list,
    stock_policy,
    stock_shown,
)

__all__ = ["app"]

app = typer.Typer(
    help="Stock: what is offered and why, the gate, policy, publishing.", no_args_is_help=True
)
app.command("list")(stock_list.list_products)
app.command("show")(stock_shown.show)
app.command("explain")(stock_explain.explain)
app.command("codes")(stock_codes.codes)
app.command("alias")(stock_acting.alias)
app.command("release")(stock_acting.release)
app.command("publishing")(stock_acting.publishing)
app.command("retry")(stock_acting.retry)
app.command("buffer")(stock_acting.buffer)
app.add_typer(stock_policy.app, name="policy")
