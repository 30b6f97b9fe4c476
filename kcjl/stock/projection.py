"""Stock, the read model: one row a product, with the terms of its sum."""

from kcjl.projections.projection import Projection
from kcjl.stock.state import PRODUCTS, Match, Product

__all__ = ["PRODUCTS_SHOWN"]


def _state(product: Product) -> str:
    if product.match == Match.CONFIRMED and any(each.refused for each in product.shown):
        return "refused"
    return product.match.value


PRODUCTS_SHOWN = Projection("stock", PRODUCTS, _state)
