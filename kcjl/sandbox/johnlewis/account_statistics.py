"""A21 of the John Lewis face: how well the shop serves, in each period that is asked.

Promises: each metric is a list of {period, value} (contract b.1), counted from the world; what
the tenant has no module for is null. It changes nothing. Called by the face's routes.
"""

from aiohttp import web

from kcjl.sandbox.johnlewis.answers import Json, answer, second
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.marketplace.shop_statistics import METRICS, PERIODS, metric

__all__ = ["ROUTES"]

WITHOUT_MODULE = ("grade", "order_messages_response_delay", "valid_tracking_rate")


def account_statistics(asked: Asked) -> web.Response:
    """A21."""
    periods = asked.among("periods", frozenset(PERIODS)) or tuple(PERIODS)
    marketplace = asked.marketplace
    body: Json = {
        name: [
            {"period": period, "value": metric(marketplace.book, name, period)}
            for period in periods
        ]
        for name in METRICS
    }
    body["offers_count"] = _each(periods, len(marketplace.offers))
    body["evaluations_count"] = _each(periods, 0)
    for name in WITHOUT_MODULE:
        body[name] = _each(periods, None)
    body["last_updated_date"] = second(marketplace.agenda.now)
    body["shop_id"] = asked.settings.shop_id
    body["channel"] = None
    return answer(body)


def _each(periods: tuple[str, ...], value: int | None) -> list[Json]:
    return [{"period": period, "value": value} for period in periods]


ROUTES = (("A21", "GET", "/api/account/statistics", account_statistics),)
