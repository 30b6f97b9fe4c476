"""The kinds of exceptions of stock: see `catalogue.py`.

Promises: plain records. Called by `catalogue.py`.
"""

from kcjl.exceptions.kind import Kind

__all__ = ["STOCK_KINDS"]

STOCK_KINDS: tuple[Kind, ...] = (
    Kind(
        name="sku_unmatched",
        severity="medium",
        lane="Stock",
        owner="catalogue",
        clears="the ERP has the code, or a person names the code that it stands for",
        next_step="create the product in Khaos Control under this code, rename the offer, "
        "or name the code that it stands for (kcjl stock alias SKU CODE); it is "
        "offered at 0 until then and goes on by itself",
        commands=("kcjl stock alias {subject} CODE",),
        stays="nothing of it can be sold or posted: name its code, or end the offer",
    ),
    Kind(
        name="stock_import_failed",
        severity="high",
        lane="Stock",
        owner="operations",
        clears="a later import went through",
        next_step="nothing: fresh figures are sent in the next cycle; if it stays, ask the "
        "operator's support",
    ),
    Kind(
        name="stock_line_refused",
        severity="medium",
        lane="Stock",
        owner="catalogue",
        clears="the marketplace takes the line, a person has it sent again, or the offer"
        " is gone",
        next_step="mend the offer as the marketplace's message says, then: kcjl stock retry"
        " SKU; a passing trouble is tried again by itself",
        commands=("kcjl stock retry {subject}",),
        retry="retry-offer",
    ),
    Kind(
        name="stock_import_stuck",
        severity="high",
        lane="Stock",
        owner="operations",
        clears="a later import went through",
        next_step="nothing: fresh figures are sent; if it stays, ask the operator's support"
        " why stock imports do not end",
    ),
    Kind(
        name="publish_held",
        severity="critical",
        lane="Stock",
        owner="operations",
        clears="a person releases it, or the figures are sane again",
        next_step="look at the named SKUs in Khaos Control. Right: kcjl stock release HOLD."
        " Wrong: mend the ERP; the hold ends by itself when the figures are sane "
        "again",
        commands=("kcjl stock release HOLD",),
        stays="nothing is published while it is held: release it, or mend the figures",
    ),
    Kind(
        name="publishing_off",
        severity="critical",
        lane="Stock",
        owner="operations",
        clears="publishing is switched on",
        next_step="when the reason is gone: kcjl stock publishing on; what waited then goes"
        " out",
        commands=("kcjl stock publishing on --reason WHY",),
        stays="no stock is published: switch publishing on",
    ),
    Kind(
        name="stock_feed_stale",
        severity="high",
        lane="Stock",
        owner="engineering",
        clears="stock is read again",
        next_step="see why Khaos Control's levels can't be read; figures shrink meanwhile, "
        "and grow again by themselves when it is read",
        stays="figures shrink as long as it lasts: see why nothing is read",
    ),
    Kind(
        name="offer_drifted",
        severity="medium",
        lane="Stock",
        owner="catalogue",
        clears="the offer shows our figure again, or is gone",
        next_step="find who else writes stock at the marketplace (another tool, the back "
        "office) and stop it; ours is said again each time",
    ),
    Kind(
        name="shop_closed",
        severity="critical",
        lane="Stock",
        owner="operations",
        clears="a reading of the account shows the shop open",
        next_step="open the shop in the marketplace's back office, or ask the operator why it "
        "is closed; what is ordered still has to be sent in time. The account is read once a "
        "day: it clears at the reading after it is open again",
        stays="nobody can buy anything: open the shop, or ask the operator why it is closed",
    ),
    Kind(
        name="offer_inactive",
        severity="medium",
        lane="Stock",
        owner="catalogue",
        clears="the offer can be bought again, or is gone",
        next_step="mend the offer at the marketplace as the reasons say; nobody can buy it now",
    ),
)
