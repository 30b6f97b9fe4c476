"""The base of the calls of one area: they all speak through one `SellerHttp`.

Promises: an area keeps nothing of its own; budgets and the connection are those of the
`SellerHttp` it was given, so that areas of one shop share them.
Called by `seller_api.py` and the modules whose calls it has.
"""

from kcjl.clock import Clock
from kcjl.johnlewis.http import SellerHttp

__all__ = ["AreaCalls"]


class AreaCalls:
    """Calls of one shop. `currency` is for amounts that come without one."""

    def __init__(self, http: SellerHttp, *, clock: Clock, currency: str) -> None:
        self._http = http
        self._clock = clock
        self._currency = currency
