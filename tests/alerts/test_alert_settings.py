"""The settings of alerts: what can't be meant is refused, and the default tells nobody."""

from datetime import time

import msgspec
import pytest

from kcjl.alerts.alert_settings import AlertSettings

GOOD: dict[str, object] = {
    "owners": {"operations": ["ops@brand.example", "webhook"], "*": ["webhook"]},
    "email": {"host": "smtp.brand.example", "sender": "kcjl@brand.example"},
}


def read(**more: object) -> AlertSettings:
    return msgspec.convert({**GOOD, **more}, AlertSettings)


def test_nobody_is_told_anything_by_default() -> None:
    """No channel: nothing is sent, and nothing can be down."""
    nothing = AlertSettings()

    assert {} == nothing.plan().channels_of
    assert not nothing.uses("email")
    assert not nothing.uses("webhook")


def test_settings_become_the_rules_plan() -> None:
    """Each owner has a channel once, whatever the number of addresses."""
    told = read(
        owners={"operations": ["a@b.example", "webhook", "c@b.example"], "*": ["webhook"]},
        quiet_from="20:00",
        quiet_until="07:00",
        escalate_at=[0.25, 0.5],
    )
    plan = told.plan()

    assert {"operations": ("email", "webhook"), "*": ("webhook",)} == plan.channels_of
    assert ((time(20), time(7)), (0.5, 0.25)) == (plan.quiet, plan.escalate_at)
    assert {"operations": ("a@b.example", "c@b.example"), "*": ()} == told.addresses()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"owners": {"operations": ["webhook"]}}, 'needs "\\*"'),
        ({"owners": {"*": ["nobody"]}}, "neither an e-mail address"),
        ({"owners": {"*": ["a@b.example, c@b.example"]}}, "neither an e-mail address"),
        ({"owners": {"*": ["a@b.example\r\nBcc: c@b.example"]}}, "neither an e-mail address"),
        ({"owners": {"*": ["webhook"] * 51}}, "50 addresses"),
        ({"escalate_to": "jo"}, "'jo' is not among the owners"),
        ({"email": {}}, "email.host and email.sender"),
        ({"email": {"host": "smtp.brand.example", "security": "plain"}}, "this machine"),
        ({"email": {"port": 0}}, "email.port"),
        ({"email": {"timeout_s": 0}}, "timeout_s"),
        ({"webhook": {"timeout_s": 0}}, "timeout_s"),
        ({"quiet_from": "20:00"}, "stand together"),
        ({"digest_at": "half past eight"}, "no time of day"),
        ({"digest_at": "08:30+01:00"}, "London"),
        ({"escalate_at": [1.5]}, "shares"),
        ({"gather_minutes": -1}, "below 0"),
        ({"least": "none"}, "Invalid enum value"),
        ({"to": "x"}, "unknown field"),
    ],
)
def test_setting_that_cant_be_meant_is_refused(wrong: dict[str, object], said: str) -> None:
    """At the start, with its name, and not at the first alert."""
    with pytest.raises(msgspec.ValidationError, match=said):
        read(**wrong)
