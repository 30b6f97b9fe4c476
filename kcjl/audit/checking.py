"""The audit before going live, and any day after: asks both sides and the log, changes nothing.

Promises: what fails is a finding like any other, and the rest is looked at all the same; every
finding that is not fine has a remedy. It reads; whether a key may write is not tried.
Invariant: each area says something, also when all is well.
Called by `kcjl check`.
"""

import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec.structs import replace

from kcjl.alerts.port import AlertChannel
from kcjl.audit.completeness import completeness
from kcjl.audit.doors import look_at
from kcjl.audit.findings import (
    Finding,
    Severity,
    certificate_findings,
    clock_findings,
    courier_findings,
    disk_findings,
    fine,
    listed,
    listing_findings,
    payout_findings,
    price_findings,
    side_findings,
    site_findings,
    tenant_findings,
)
from kcjl.database import Database
from kcjl.dispatch.carriers_state import Carriers
from kcjl.errors import KcjlError
from kcjl.events import vocabulary
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN
from kcjl.johnlewis.tenant_port import ProfilePort, TenantProfile
from kcjl.khaos.port import ErpPort
from kcjl.ledger.port import LiveLedger
from kcjl.log.queries import PostgresQueries
from kcjl.projections.dispatchreading import carriers_of, courier_rows
from kcjl.projections.payoutreading import PayoutRows
from kcjl.projections.stockreading import StockRows
from kcjl.projections.store import PostgresRows
from kcjl.settings import MerchantSettings, Settings
from kcjl.stock.sides import Offers, Said, compare_sides, read_catalogues

__all__ = ["Asked", "Audit", "Known"]

T = TypeVar("T")

BACKUP_HOURS = 36


class Known:
    """What the log says that the outside is held against; nothing before the first run."""

    def __init__(self, carriers: Carriers, aliases: Mapping[str, str]) -> None:
        self.carriers = carriers
        self.aliases = aliases

    @classmethod
    async def of(cls, database: Database, merchant: str) -> "Known":
        log = PostgresQueries(database, merchant, vocabulary())
        carriers = await carriers_of(log)
        return cls(carriers, await StockRows(database, merchant).aliases())

    @classmethod
    def nothing(cls, mine: MerchantSettings) -> "Known":
        mapped = tuple(
            (courier.casefold(), code) for courier, code in mine.opening_policy.carriers.items()
        )
        return cls(Carriers(mapped=mapped), {})


class Asked(ProfilePort, Offers, Protocol):
    """What is asked of the marketplace."""


class Audit:
    """One merchant's; `found` grows area by area."""

    def __init__(self, settings: Settings, merchant: str, now: datetime, say: Said) -> None:
        self._settings = settings
        self._mine = settings.merchants[merchant]
        self._merchant = merchant
        self._now = now
        self._say = say
        self.found: list[Finding] = []

    async def doors(self) -> None:
        """Both addresses, before anybody logs in."""
        addresses = {"johnlewis": self._mine.johnlewis.base_url}
        if self._mine.khaos.kind == "kws":
            addresses["khaos"] = self._mine.khaos.base_url
        for done, (area, url) in enumerate(addresses.items()):
            self._say("looking at both addresses", done, len(addresses))
            door = await look_at(url)
            if not door.answers:
                self._failed(area, f"{url} does not answer: {door.said}", "check the address")
                continue
            self.found += certificate_findings(
                area, ends_at=door.certificate_ends_at, now=self._now
            )
            if not self._settings.clock.world:
                self.found += clock_findings(area, theirs=door.clock, ours=self._now)

    async def marketplace(self, marketplace: Asked) -> TenantProfile | None:
        """Who we are there."""

        async def ask() -> TenantProfile:
            profile = await marketplace.tenant_profile()
            self.found += tenant_findings(profile, self._mine)
            return profile

        self._say("asking who we are", 0, 1)
        return await self._tried("johnlewis", ask)

    async def erp(self, erp: ErpPort | None) -> bool:
        """Whether the ERP lets us in, and has the sites that we offer from."""
        if erp is None:
            self._note(
                "khaos",
                "the ERP calls us: `/readyz` and `kcjl calls --side khaos` say whether it does",
            )
            return False

        async def ask() -> bool:
            version = await erp.ping()
            self.found.append(fine("khaos", f"it answers: {version}"))
            self.found += site_findings(await erp.sites(), self._mine)
            return True

        self._say("asking the ERP", 0, 1)
        return bool(await self._tried("khaos", ask))

    async def catalogue(self, marketplace: Offers, erp: ErpPort, known: Known) -> None:
        """Offers against stock codes, listings, prices."""

        async def ask() -> None:
            both = await read_catalogues(marketplace, erp, known.aliases, self._say)
            self.found += side_findings(compare_sides(both, known.aliases))
            self.found += listing_findings(both.offers)
            self.found += price_findings(both.pairs)

        await self._tried("catalogue", ask)

    async def couriers(self, erp: ErpPort, profile: TenantProfile | None, known: Known) -> None:
        """The ERP's couriers against the carrier map."""

        async def ask() -> None:
            listed = tuple((each.name, each.code or "") for each in await erp.couriers())
            codes = known.carriers.codes
            if profile is not None:
                codes = tuple((each.code, each.label) for each in profile.carriers)
            if not codes:
                self._note("couriers", "not compared: the marketplace told no carriers")
                return
            carriers = replace(known.carriers, listed=listed, codes=codes)
            self.found += courier_findings(courier_rows(carriers))

        self._say("asking the ERP for its couriers", 0, 1)
        await self._tried("couriers", ask)

    async def channels(self, channels: Sequence[AlertChannel]) -> None:
        """Whether people can be told; no message is sent."""
        if not channels:
            self._note("alerts", "nobody is told anything: no owner stands under [alerts]")
        for done, channel in enumerate(channels):
            self._say("looking at the alert channels", done, len(channels))
            said = await self._tried("alerts", channel.look)
            if said is not None:
                self.found.append(fine("alerts", f"{channel.name}: {said}"))

    async def ledger(self, books: LiveLedger | None) -> None:
        """Whether a live ledger lets us in; nothing is entered."""
        if books is None:
            return  # files: the disk is looked at

        async def ask(books: LiveLedger = books) -> None:
            await books.changed(self._now)
            self.found.append(fine("ledger", "it lets us in, and shows its journals"))

        self._say("asking the ledger", 0, 1)
        await self._tried("ledger", ask)

    async def log(self, database: Database) -> None:
        """What is in the log: nothing lost (law 3), what waits for people, payouts."""

        async def ask() -> None:
            rows = PostgresRows(database, self._merchant)
            whole = await completeness(rows)
            self.found += _completeness_findings(whole.orders, whole.missing)
            kinds: Counter[str] = Counter()
            for _, row in await rows.rows(EXCEPTIONS_SHOWN.name):
                life = EXCEPTIONS_SHOWN.entry(row)
                if life.cleared_at is None:
                    kinds[life.raised.kind] += 1
            self.found += _exception_findings(kinds)
            self.found += payout_findings(await PayoutRows(database, self._merchant).payouts())

        self._say("reading the log", 0, 1)
        await self._tried("log", ask)

    def not_begun(self, why: str) -> None:
        """There is no log to look at."""
        self._note("log", f"nothing of it was looked at: {why}")

    def machine(self, backup: Path | None) -> None:
        """Disk and backup."""
        folder = Path(self._settings.data_dir).resolve()
        there = next(each for each in (folder, *folder.parents) if each.exists())
        self.found += disk_findings({str(there): shutil.disk_usage(there).free})
        if backup is None:
            self._note("machine", "no backup was looked at: name its newest file with --backup")
            return
        try:
            age = self._now - datetime.fromtimestamp(backup.stat().st_mtime, UTC)
        except OSError as error:
            self._failed("machine", f"{backup}: {error.strerror}", "see whether backups run")
            return
        hours = age / timedelta(hours=1)
        said = f"the backup {backup} is {hours:,.0f} hours old"
        if hours <= BACKUP_HOURS:
            self.found.append(fine("machine", said))
        else:
            self._failed("machine", said, "see why no newer one was made")

    async def _tried(self, area: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        """A system that refuses us is a finding, and the rest goes on."""
        try:
            return await ask()
        except KcjlError as error:
            self._failed(area, f"{error.message} [{error.code}]", "docs/errors.md, by the code")
            return None

    def _failed(self, area: str, said: str, remedy: str) -> None:
        self.found.append(
            Finding(area=area, severity=Severity.FAILURE, said=said, remedy=remedy)
        )

    def _note(self, area: str, said: str) -> None:
        self.found.append(Finding(area=area, severity=Severity.NOTE, said=said))


def _completeness_findings(orders: Mapping[str, int], missing: Sequence[str]) -> list[Finding]:
    counted = ", ".join(f"{number:,} {name}" for name, number in orders.items()) or "none"
    found = [fine("log", f"orders: {counted}")]
    if missing:
        found.append(
            listed(
                "log",
                Severity.FAILURE,
                f"{len(missing):,} are neither final nor waiting nor in an exception",
                "this must not be: keep the log as it is, and report it",
                missing,
            )
        )
    return found


def _exception_findings(kinds: Mapping[str, int]) -> list[Finding]:
    if not kinds:
        return [fine("log", "no exception is open")]
    return [
        listed(
            "log",
            Severity.WARNING,
            f"{sum(kinds.values()):,} exceptions are open",
            "kcjl exceptions list, or the monitor's Exceptions screen",
            [f"{kind}: {number:,}" for kind, number in sorted(kinds.items())],
        )
    ]
