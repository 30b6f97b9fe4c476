"""What the reading task tells the money screen. Called by it."""

from collections.abc import Sequence

from textual.message import Message

from kcjl.readmodels_money import BuildUp, MoneyReading, PayoutStory, PennyWay

__all__ = ["BuildUpRead", "PayoutRead", "PayoutsRead", "WaysRead"]


class PayoutsRead(Message):
    """The payouts have come; `find`: those that hold that word."""

    def __init__(self, reading: MoneyReading, *, find: str) -> None:
        super().__init__()
        self.reading = reading
        self.find = find


class BuildUpRead(Message):
    """What builds up for the next payout has come; None: it was not asked for."""

    def __init__(self, build_up: BuildUp | None) -> None:
        super().__init__()
        self.build_up = build_up


class PayoutRead(Message):
    """All about one payout has come; None: none is open, or nothing of it has changed."""

    def __init__(self, story: PayoutStory | None) -> None:
        super().__init__()
        self.story = story


class WaysRead(Message):
    """The ways of a payout's pennies have come; empty payout: they were not asked for."""

    def __init__(self, payout: str, ways: Sequence[PennyWay]) -> None:
        super().__init__()
        self.payout = payout
        self.ways = tuple(ways)
