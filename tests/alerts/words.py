"""Words for the tests of alerts: exceptions that come and go, a desk of folds, a channel."""

from datetime import datetime, time, timedelta

from kcjl.alerts.decide import Waiting, waiting
from kcjl.alerts.events import AlertIntended, AlertSent
from kcjl.alerts.plan import Plan
from kcjl.alerts.port import Delivered, Message
from kcjl.alerts.state import EPISODES, STORMS, Episode, StormTold
from kcjl.errors import KcjlError
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.exceptions.kind import SEVERITIES
from kcjl.fold import Table
from kcjl.vocabulary import Event
from tests.clockwork import MORNING
from tests.trade import gbp

__all__ = ["MAIL", "PLAN", "Board", "Channel", "over", "raised", "taken"]

MAIL = "email"
PLAN = Plan(
    channels_of={"operations": (MAIL,), "lead": (MAIL,), "*": (MAIL,)},
    severities=SEVERITIES,
    escalate_at=(0.5, 0.25),
    digest_at=time(8, 30),
)


def raised(
    subject: str = "O1",
    at: datetime = MORNING,
    *,
    kind: str = "posting_refused",
    severity: str = "high",
    owner: str = "operations",
    hours: float | None = None,
    again: bool = False,
) -> ExceptionRaised:
    """`hours`: until its deadline."""
    return ExceptionRaised(
        kind=kind,
        subject=subject,
        severity=severity,
        message="the ERP says no to Mrs Larkspur",
        next_step="see what it says",
        owner=owner,
        money_at_risk=gbp(2_000),
        deadline=None if hours is None else at + timedelta(hours=hours),
        again=again,
        occurred_at=at,
    )


def over(
    subject: str = "O1", at: datetime = MORNING, *, kind: str = "posting_refused"
) -> ExceptionCleared:
    return ExceptionCleared(kind=kind, subject=subject, reason="posted", occurred_at=at)


def taken(meant: AlertIntended, at: datetime) -> AlertSent:
    """What the room says of a message that the channel has taken."""
    return AlertSent(
        channel=meant.channel,
        owner=meant.owner,
        alert_id=meant.alert_id,
        purpose=meant.purpose,
        told=meant.told,
        day=meant.day,
        occurred_at=at,
    )


class Board:
    """What the room has folded, without the room."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.plan = plan
        self.episodes: Table[Episode] = Table(EPISODES)
        self.storms: Table[StormTold] = Table(STORMS)

    def hear(self, *events: Event) -> None:
        for event in events:
            for table in (self.episodes, self.storms):
                table.apply(event)

    def waiting(self, now: datetime = MORNING) -> dict[tuple[str, str], list[Waiting]]:
        return waiting(self.plan, self.episodes.items(), dict(self.storms.items()), now)

    def ids(self, now: datetime = MORNING, owner: str = "operations") -> list[str]:
        """What waits for an owner."""
        return [each.told.exception_id for each in self.waiting(now).get((MAIL, owner), [])]

    def tell(self, now: datetime = MORNING) -> list[AlertSent]:
        """Everybody is told of everything that waits, and it is taken."""
        said = [
            AlertSent(
                channel=channel,
                owner=owner,
                alert_id=f"a-{now.isoformat()}-{owner}",
                purpose="alert",
                told=tuple(each.told for each in several),
                occurred_at=now,
            )
            for (channel, owner), several in self.waiting(now).items()
        ]
        self.hear(*said)
        return said


class Channel:
    """One way to people, that a test can hurt: it raises what it is told to, in turn."""

    def __init__(self, name: str = MAIL) -> None:
        self.name = name
        self.sent: list[tuple[Message, str]] = []
        """What has arrived, whether it answered or not."""
        self.asked = 0
        self.troubles: list[KcjlError] = []
        self.down: KcjlError | None = None
        self.loses_answer = False
        """What it raises comes after the message has arrived."""
        self.refused = 0

    async def send(self, message: Message, owner: str, /) -> Delivered:
        self.asked += 1
        trouble = self.troubles.pop(0) if self.troubles else self.down
        if trouble is None or self.loses_answer:
            self.sent.append((message, owner))
        if trouble is not None:
            raise trouble
        return Delivered(addresses=2, not_reached=self.refused, answer="250")

    async def look(self) -> str:
        if self.down is not None:
            raise self.down
        return "it answers"

    def ids(self) -> list[str]:
        return [message.message_id for message, _ in self.sent]

    def titles(self) -> list[str]:
        return [message.title for message, _ in self.sent]
