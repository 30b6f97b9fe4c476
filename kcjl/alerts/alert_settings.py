"""The settings of alerts: `[merchants.NAME.alerts]` of kcjl.toml.

Promises: typed and frozen; what can't be meant is refused; secrets are named, never held.
Without an owner there is no channel, and nobody is told anything.
Called by `settings/file.py`, the room and the composition root.
"""

from datetime import time, timedelta
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from kcjl.alerts.plan import ANYBODY, Plan
from kcjl.exceptions.kind import SEVERITIES, Severity
from kcjl.loopback import PORT_MAX, is_loopback

__all__ = ["EMAIL", "WEBHOOK", "AlertSettings", "EmailSection", "WebhookSection", "checked_url"]

EMAIL, WEBHOOK = "email", "webhook"
ADDRESSES_MAX = 50
"""Of one owner; more is a mailing list."""


class EmailSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server that takes our mail."""

    host: str = ""
    port: int = 587
    security: Literal["starttls", "tls", "plain"] = "starttls"
    """"plain": only to a server on this machine."""
    ca_file: str = ""
    """Certificates that are trusted instead of the machine's own."""
    user: str = ""
    """Empty: no login."""
    password_env: str = "KCJL_ALERT_EMAIL_PASSWORD"  # noqa: S105 - a variable's name
    password_file: str = ""
    sender: str = ""
    timeout_s: float = 30
    """Real seconds for each step of the conversation."""

    def __post_init__(self) -> None:
        if not 0 < self.port <= PORT_MAX:
            raise ValueError(f"email.port: 1 to {PORT_MAX:,}, not {self.port:,}")
        if not self.timeout_s > 0:
            raise ValueError(f"email.timeout_s has to be above 0, not {self.timeout_s:g}")
        if self.security == "plain" and self.host and not is_loopback(self.host):
            raise ValueError(
                f'email.security "plain" is for a server on this machine, not {self.host}: '
                'say "starttls" or "tls"'
            )


class WebhookSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The web hook. Its address lets anybody post, so it is a secret as its key is."""

    url_env: str = "KCJL_ALERT_WEBHOOK_URL"
    url_file: str = ""
    secret_env: str = "KCJL_ALERT_WEBHOOK_SECRET"  # noqa: S105 - a variable's name
    """Each request is signed with it; Slack's own web hooks do not look at it."""
    secret_file: str = ""
    timeout_s: float = 15

    def __post_init__(self) -> None:
        if not self.timeout_s > 0:
            raise ValueError(f"webhook.timeout_s has to be above 0, not {self.timeout_s:g}")


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose exceptions are is policy, as routing rules; whom to reach for it is no decision
    about the trade, and addresses are people's: it stands here and not in the log.
    """

    owners: dict[str, tuple[str, ...]] = {}
    """Owner -> e-mail addresses, and "webhook"; "*" is whoever is not named. Empty: nobody is
    told anything."""
    least: Severity = "medium"
    """What is less severe is in the digest only."""
    gather_minutes: float = 1
    """So long is waited for more that goes into the same message."""
    pause_minutes: float = 5
    """Between two messages to one owner over one channel; critical ones do not wait."""
    escalate_at: tuple[float, ...] = (0.5, 0.25)
    """At these shares of the time from the raising to the deadline that is left."""
    escalate_to: str = ""
    """An owner who is told too when a deadline is near."""
    quiet_from: str = ""
    """London time of day; empty: no hour is quiet."""
    quiet_until: str = ""
    breaks_quiet: tuple[Severity, ...] = ("critical",)
    """What is told in quiet hours all the same."""
    digest_at: str = "08:30"
    """London time of day of each owner's list; empty: none."""
    email: EmailSection = EmailSection()
    webhook: WebhookSection = WebhookSection()

    def __post_init__(self) -> None:
        if self.gather_minutes < 0 or self.pause_minutes < 0:
            raise ValueError("gather_minutes and pause_minutes can't be below 0")
        if not all(0 <= share < 1 for share in self.escalate_at):
            raise ValueError("escalate_at has shares of the time that is left: 0 to below 1")
        if bool(self.quiet_from) != bool(self.quiet_until):
            raise ValueError("quiet_from and quiet_until stand together, or neither does")
        for name in ("quiet_from", "quiet_until", "digest_at"):
            _time_of_day(name, getattr(self, name))
        self._check_owners()

    def _check_owners(self) -> None:
        if not self.owners:
            return
        if ANYBODY not in self.owners:
            raise ValueError(
                'owners needs "*": whoever is not named there is told under it, or nobody is'
            )
        if self.escalate_to and self.escalate_to not in self.owners:
            raise ValueError(f"escalate_to: {self.escalate_to!r} is not among the owners")
        for owner, addresses in self.owners.items():
            odd = [each for each in addresses if each != WEBHOOK and not _is_mail(each)]
            if odd:
                raise ValueError(
                    f'owners.{owner}: {odd[0]!r} is neither an e-mail address nor "{WEBHOOK}"'
                )
            if len(addresses) > ADDRESSES_MAX:
                raise ValueError(f"owners.{owner}: {ADDRESSES_MAX} addresses at most")
        if self.uses(EMAIL) and not (self.email.host and _is_mail(self.email.sender)):
            raise ValueError("owners have e-mail addresses: email.host and email.sender too")

    def uses(self, channel: str) -> bool:
        return any(channel in each for each in self.plan().channels_of.values())

    def addresses(self) -> dict[str, tuple[str, ...]]:
        """The e-mail addresses, by owner."""
        return {
            owner: tuple(each for each in addresses if each != WEBHOOK)
            for owner, addresses in self.owners.items()
        }

    def plan(self) -> Plan:
        """As the rules want it."""
        until = self.quiet_until
        return Plan(
            channels_of={
                owner: tuple(dict.fromkeys(map(_channel_of, addresses)))
                for owner, addresses in self.owners.items()
            },
            severities=SEVERITIES,
            least=self.least,
            gather=timedelta(minutes=self.gather_minutes),
            pause=timedelta(minutes=self.pause_minutes),
            escalate_at=tuple(sorted(self.escalate_at, reverse=True)),
            escalate_to=self.escalate_to,
            quiet=(time.fromisoformat(self.quiet_from), time.fromisoformat(until))
            if until
            else None,
            breaks_quiet=self.breaks_quiet,
            digest_at=time.fromisoformat(self.digest_at) if self.digest_at else None,
        )


def _channel_of(address: str) -> str:
    return WEBHOOK if address == WEBHOOK else EMAIL


def _is_mail(address: str) -> bool:
    before, at, domain = address.partition("@")
    plain = address.isascii() and address.isprintable() and not set(address) & set(' <>,;"')
    return bool(before and at and domain and "@" not in domain and plain)


def _time_of_day(name: str, told: str) -> None:
    if not told:
        return
    try:
        at = time.fromisoformat(told)
    except ValueError:
        raise ValueError(f"{name}: {told!r} is no time of day") from None
    if at.tzinfo is not None:
        raise ValueError(f"{name}: {told!r} has a time zone; it is London's")


def checked_url(url: str) -> str:
    """The web hook's address; plain HTTP only to this machine. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("it must be like https://hooks.example/…, without a user")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("it must be https: its address is a secret")
    return url
