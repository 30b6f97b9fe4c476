"""What another policy would change, before it does."""

from kcjl.stock.policy import PolicyDocument, Rule
from kcjl.stock.preview import preview_of
from kcjl.stock.state import PRODUCTS
from tests.stock.under import under
from tests.trade import confirmed, level, listed, made_of


def test_preview_tells_the_change_and_what_names_no_offer() -> None:
    """A slip in a SKU or a category would otherwise hold nothing back, and say nothing."""
    lamp = made_of(PRODUCTS, "a-1", listed("A-1"), confirmed(), level(10))
    everywhere = Rule(name="everywhere", buffer=3)
    lamps = Rule(name="lamps", skus=("a-1", "A-l"), buffer=4)
    gifts = Rule(name="gifts", categories=("GIFTS",), buffer=5)

    found = preview_of([lamp], under(), PolicyDocument(rules=(everywhere, lamps, gifts)))

    assert [("A-1", 10, 6)] == [(each.sku, each.now, each.then) for each in found.changes]
    assert (
        "rule 'lamps': no offer has the SKU 'A-l'",
        "rule 'gifts': no offer has the category 'GIFTS'",
    ) == found.unmet
