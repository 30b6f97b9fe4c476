"""Alerts, the shell: an intention and an outcome, whatever dies or does not answer."""

from datetime import timedelta

import msgspec
import pytest

from kcjl.alerts.events import AlertIntended, AlertSent, AlertUnknown
from kcjl.alerts.port import Delivered, Message
from kcjl.errors import CredentialsRefused, NotFound, OutcomeUnknown, Refused, Unavailable
from kcjl.exceptions.decide import OPEN, decide_desk
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.exceptions.service_events import ServiceConditionEnded, ServiceConditionFound
from kcjl.exceptions.storms import TALLIES, decide_storms
from kcjl.fold import Table
from kcjl.orders.events import PostingRefused
from kcjl.vocabulary import Event
from tests.alerts.room import SETTINGS, alerting, look, outcomes
from tests.alerts.words import Channel, over, raised
from tests.clockwork import MORNING
from tests.outside.mishaps import Killed
from tests.rooms import Premises
from tests.trade import gbp

pytestmark = pytest.mark.anyio

replace = msgspec.structs.replace
AWAY = Unavailable("the mail server could not be asked")
LOST = OutcomeUnknown("the mail server gave no answer")


async def test_exception_is_told_to_its_owner_once_over_restarts() -> None:
    """A minute is waited for more; a new process does not tell it again."""
    place, mail = Premises(), Channel()
    async with alerting(place, mail) as alerts:
        await alerts.record(raised("O1"), raised("O2", owner="finance"))
        await look(place, alerts)
        assert [] == mail.sent
        await look(place, alerts, minutes=1)
        await look(place, alerts, minutes=10)
    async with alerting(place, mail) as alerts:
        await look(place, alerts)
        await look(place, alerts, minutes=10)

    assert [("operations", "posting_refused O1"), ("*", "posting_refused O2")] == [
        (owner, " ".join(message.title.split()[-2:])) for message, owner in mail.sent
    ]
    assert ["AlertIntended", "AlertSent"] * 2 == await outcomes(place)


async def test_message_is_in_the_log_before_it_goes() -> None:
    """Whoever reads the log knows what may have gone, whatever happens then."""
    place = Premises()

    class Watching(Channel):
        async def send(self, message: Message, owner: str, /) -> Delivered:
            assert ["AlertIntended"] == await outcomes(place)
            return await super().send(message, owner)

    async with alerting(place, Watching()) as alerts:
        await alerts.record(raised())
        await look(place, alerts)
        await look(place, alerts, minutes=1)

    assert ["AlertIntended", "AlertSent"] == await outcomes(place)


@pytest.mark.parametrize("went", [True, False])
async def test_process_that_dies_between_intention_and_outcome_repeats_under_the_same_id(
    *, went: bool
) -> None:
    """Nobody knows whether it went: once more, so that a mail program sees one message."""
    place, mail = Premises(), Channel()
    async with alerting(place, mail) as alerts:
        await alerts.record(raised())
        await look(place, alerts)
        mail.loses_answer = went
        mail.troubles = [Killed()]  # type: ignore[list-item]
        with pytest.raises(Killed):
            await look(place, alerts, minutes=1)
    mail.loses_answer = False
    async with alerting(place, mail) as alerts:
        await look(place, alerts)
        await look(place, alerts, minutes=1)
        await look(place, alerts, minutes=30)

    (meant, again) = await place.said(AlertIntended)
    assert (1, 2) == (meant.attempt, again.attempt)
    assert [meant.alert_id] * (2 if went else 1) == mail.ids()
    assert 1 == len({(each.title, each.text, each.written_at) for each, _ in mail.sent})
    assert ["AlertIntended", "AlertUnknown", "AlertIntended", "AlertSent"] == await outcomes(
        place
    )


async def test_answer_that_is_lost_twice_ends_it_and_is_no_proof_that_it_arrived() -> None:
    """It is not sent a third time; the channel stays on the desk until one is answered."""
    place, mail = Premises(), Channel()
    mail.loses_answer, mail.troubles = True, [LOST, LOST]
    async with alerting(place, mail) as alerts:
        await alerts.record(raised())
        for _ in range(40):
            await look(place, alerts, minutes=1)
        assert 2 == len(mail.sent)
        assert [] == await place.said(ServiceConditionEnded)
        await alerts.record(raised("O2", place.clock.now()))
        for _ in range(5):
            await look(place, alerts, minutes=1)

    first, second = await place.said(AlertSent)
    assert (False, True) == (first.certain, second.certain)
    assert 2 == len(await place.said(AlertUnknown))
    (end,) = await place.said(ServiceConditionEnded)
    assert "email" == end.subject


async def test_channel_that_is_down_is_one_exception_and_what_waited_is_one_message() -> None:
    """Hours without a server: few attempts, one condition with the count, one message."""
    place, mail = Premises(), Channel()
    mail.down = AWAY
    async with alerting(place, mail) as alerts:
        for number in range(240):
            if number % 10 == 0:
                await alerts.record(raised(f"O{number}", place.clock.now()))
            await look(place, alerts, minutes=1)
        await alerts.record(over("O0", place.clock.now()))
        asked, mail.down = mail.asked, None
        for _ in range(31):
            await look(place, alerts, minutes=1)

    assert asked <= 5 + 240 // 30
    assert 1 == len(mail.sent)
    assert "23 exceptions" in mail.titles()[0]
    found = await place.said(ServiceConditionFound)
    assert {("alert_channel_down", "email")} == {(each.kind, each.subject) for each in found}
    assert "waiting to be told: 1" in found[0].message
    assert 1 == len(await place.said(ServiceConditionEnded))


async def test_desk_has_one_exception_of_a_channel_that_is_down() -> None:
    """Its words change with the count; it is the same one, and closes when one gets through."""
    said: list[Event] = []
    for event in (
        ServiceConditionFound(
            kind="alert_channel_down", subject="email", message="1", occurred_at=MORNING
        ),
        ServiceConditionFound(
            kind="alert_channel_down", subject="email", message="2", occurred_at=MORNING
        ),
        ServiceConditionEnded(
            kind="alert_channel_down", subject="email", reason="-", occurred_at=MORNING
        ),
    ):
        open_now = Table(OPEN, group=lambda each: each.raised.subject)
        for each in said:
            open_now.apply(each)
        said += decide_desk(event, open_now.grouped)

    assert [ExceptionRaised, ExceptionRaised, ExceptionCleared] == [type(e) for e in said]
    assert [False, True] == [e.again for e in said if isinstance(e, ExceptionRaised)]


async def test_owner_whose_addresses_are_refused_holds_nobody_else_up() -> None:
    """The others are told; the way to this owner is on the desk by itself."""
    place = Premises()

    class Picky(Channel):
        async def send(self, message: Message, owner: str, /) -> Delivered:
            if owner == "operations":
                raise Refused("the mail server refuses each address (550)")
            return await super().send(message, owner)

    mail = Picky()
    async with alerting(place, mail) as alerts:
        await alerts.record(raised("O1"), raised("O2", owner="finance"))
        await look(place, alerts)
        await look(place, alerts, minutes=1)
        found = await place.said(ServiceConditionFound)

    assert ["*"] == [owner for _, owner in mail.sent]
    assert ["email/operations"] == [each.subject for each in found]


async def test_password_that_is_refused_stops_the_whole_channel() -> None:
    """Not each owner is tried with it: that locks accounts."""
    place, mail = Premises(), Channel()
    mail.down = CredentialsRefused("the mail server refuses our user or its password (535)")
    async with alerting(place, mail) as alerts:
        await alerts.record(raised("O1"), raised("O2", owner="finance"))
        await look(place, alerts)
        await look(place, alerts, minutes=1)

    assert 1 == mail.asked


async def test_address_that_is_refused_among_others_is_on_the_desk() -> None:
    """The message has gone to the other one; the next that goes to both ends it."""
    place, mail = Premises(), Channel()
    mail.refused = 1
    async with alerting(place, mail) as alerts:
        await alerts.record(raised("O1"))
        await look(place, alerts)
        await look(place, alerts, minutes=1)
        (found,) = await place.said(ServiceConditionFound)
        mail.refused = 0
        await alerts.record(raised("O2", place.clock.now()))
        await look(place, alerts, minutes=5)
        await look(place, alerts, minutes=1)

    assert "email/operations" == found.subject
    assert 1 == len(await place.said(ServiceConditionEnded))
    assert [1, 0] == [each.not_reached for each in await place.said(AlertSent)]


async def test_channel_that_is_down_holds_no_other_one_up() -> None:
    """The web hook tells of what the mail does not, and of the mail itself."""
    place, mail, hook = Premises(), Channel(), Channel("webhook")
    mail.down = AWAY
    both = replace(SETTINGS, owners={"*": ("lead@brand.example", "webhook")})
    async with alerting(place, mail, hook, settings=both) as alerts:
        await alerts.record(raised("O1"))
        await look(place, alerts)
        await look(place, alerts, minutes=1)
        down = raised(
            "email", place.clock.now(), kind="alert_channel_down", owner="engineering"
        )
        await alerts.record(down)
        await look(place, alerts, minutes=5)
        await look(place, alerts, minutes=1)

    assert ["posting_refused O1", "alert_channel_down email"] == [
        " ".join(each.split()[-2:]) for each in hook.titles()
    ]


async def test_channel_that_was_taken_out_of_the_settings_is_down_no_more() -> None:
    """What is not used can't fail."""
    place, mail, hook = Premises(), Channel(), Channel("webhook")
    mail.down = AWAY
    async with alerting(place, mail) as alerts:
        await alerts.record(raised("O1"))
        await look(place, alerts)
        await look(place, alerts, minutes=1)
    async with alerting(
        place, hook, settings=replace(SETTINGS, owners={"*": ("webhook",)})
    ) as alerts:
        await look(place, alerts)

    (end,) = await place.said(ServiceConditionEnded)
    assert "email" == end.subject


async def test_ten_thousand_failing_orders_are_one_storm_and_one_alert() -> None:
    """The desk says the storm; its owner has one message, on the day and the day after."""
    place, mail = Premises(), Channel()
    tallies, said = Table(TALLIES), list[Event]()
    for number in range(10_000):
        event = PostingRefused(
            order_id=f"O{number}",
            message="the ERP says no",
            attempt=1,
            money=gbp(1_000),
            skus=(),
            occurred_at=MORNING + timedelta(milliseconds=number),
        )
        told = decide_desk(event, lambda _: ())
        storms = decide_storms(
            told, tallies.get, threshold=50, window_minutes=15, at=event.occurred_at
        )
        for each in (*told, *storms):
            tallies.apply(each)
        said += (*told, *storms)
    async with alerting(place, mail) as alerts:
        for start in range(0, len(said), 1_000):
            await alerts.record(*said[start : start + 1_000])
        await look(place, alerts)
        for _ in range(48):
            await look(place, alerts, minutes=30)

    assert 1 == len(mail.sent)
    message, owner = mail.sent[0]
    assert "operations" == owner
    assert "a storm: 10,000 of them" in message.text
    assert "100,000.00 GBP at risk" in message.text
    assert len(message.text) < 1_500


async def test_owners_lists_go_once_a_day_at_their_time() -> None:
    """Half past eight in London, 07:30 UTC in October; where nothing is open none goes."""
    place, mail = Premises(), Channel()
    daily = replace(SETTINGS, digest_at="08:30", quiet_from="20:00", quiet_until="10:00")
    async with alerting(place, mail, settings=daily) as alerts:
        await alerts.record(raised("O1"), raised("O2", severity="low"))
        for _ in range(3 * 24 * 2):
            await look(place, alerts, minutes=30)
        await alerts.record(over("O1"), over("O2"))
        for _ in range(2 * 24 * 2):
            await look(place, alerts, minutes=30)

    assert [(1, "07:30"), (1, "07:30"), (1, "07:30")] == [
        (message.text.count("posting_refused  O2"), f"{message.written_at:%H:%M}")
        for message, _ in mail.sent
        if "the day's list" in message.title
    ]
    assert 4 == len(mail.sent)


async def test_list_that_a_person_asks_for_goes_now_and_beside_that_of_the_day() -> None:
    """Previewed it is only shown; an owner who is not in the settings is named."""
    place, mail = Premises(), Channel()
    daily = replace(SETTINGS, digest_at="08:30")
    async with alerting(place, mail, settings=daily) as alerts:
        await alerts.record(raised("O1"))
        (shown,) = alerts.preview_digest("")
        assert [] == mail.sent
        assert "1 sent, 0 did not get through, 1 had nothing to say" == (
            await alerts.send_digest("", by="jo")
        )
        assert shown.text == mail.sent[0][0].text
        with pytest.raises(NotFound, match="'jo' is not among the owners"):
            await alerts.send_digest("jo", by="jo")
        mail.down = AWAY
        with pytest.raises(Refused, match="0 sent, 1 did not get through"):
            await alerts.send_digest("operations", by="jo")
        mail.down = None
        for _ in range(24 * 2):
            await look(place, alerts, minutes=30)

    lists = [each for each in await place.recorded() if isinstance(each.event, AlertIntended)]
    assert ["jo", "jo", "alerts", "alerts"] == [each.by for each in lists]
    days = [each.day for each in await place.said(AlertSent) if each.purpose == "digest"]
    assert [None, (MORNING + timedelta(days=1)).date()] == days
