"""What `kcjl init` asks about Khaos Control, and what orders are created with.

Promises: an answer is tried by the version, the sites and the couriers that it tells; what it
tells is offered as choices. A certificate that this machine does not trust is pinned only when
somebody says so, having seen its fingerprint.
Called by `init.py`.
"""

import msgspec

from kcjl.adaptersettings import cloud_settings
from kcjl.cli.init_asking import Asker, Question, settled
from kcjl.cli.init_file import Staging, Table, Value
from kcjl.cli.init_trials import Erp, door_of, erp_at
from kcjl.errors import KcjlError, Misuse
from kcjl.khaos.cloud_door import certificate
from kcjl.loopback import PORT_MAX
from kcjl.settings import JohnLewisSettings, KhaosSettings

__all__ = ["asked_of_khaos"]

ADDRESS: Table = {"line1": "-", "town": "-", "postcode": "-"}
"""Until it is asked for; it is in no call that reads."""
COMPANY_CODE_MAX = 10


def asked_of_khaos(
    asker: Asker, staging: Staging, johnlewis: JohnLewisSettings
) -> tuple[Table, Table]:
    """(its section, that of stock)."""
    kind = settled(
        asker,
        Question(
            key="khaos_kind",
            text="Kind of Khaos Control",
            about="kws: we call its web service. cloud: its channel calls us.",
            default="kws",
            choices=("kws", "cloud"),
        ),
        str,
    )
    if kind == "cloud":
        return {"kind": kind, **_orders(asker, None), "cloud": _cloud(asker, staging)}, {}
    reached, erp = _web_service(asker, staging, johnlewis)
    site = settled(
        asker,
        Question(
            key="site",
            text="Site that orders are shipped from",
            default=erp.default_site or next(iter(erp.sites), None),
            choices=tuple(erp.sites),
        ),
        str,
    )
    stock: Table = {"sites": (erp.sites[site],)} if site in erp.sites else {}
    return {**reached, "site_name": site, **_orders(asker, erp)}, stock


def _web_service(
    asker: Asker, staging: Staging, johnlewis: JohnLewisSettings
) -> tuple[dict[str, Value], Erp]:
    """Its address, its certificate, how it lets us in; until it answers."""
    question = Question(
        key="khaos_url",
        text="Address of Khaos Control's web service",
        about="Up to and with the executable, such as https://erp.example/KhaosKSD.exe",
    )
    while True:
        url = settled(asker, question, _answering)
        pin = _pinned(asker, url)
        auth = settled(
            asker,
            Question(
                key="khaos_auth",
                text="How it lets us in",
                about="none; basic: a user and a password (HTTP Basic); body: a password in "
                "each call.",
                default="none",
                choices=("none", "basic", "body"),
            ),
            str,
        )
        written: dict[str, Value] = {"base_url": url, "auth": auth}
        if pin:
            written["certificate_sha256"] = pin
        written |= _let_in(asker, staging, auth)
        section: Table = {**written, "invoice_address": ADDRESS}
        tried = msgspec.convert(staging.tried(section), KhaosSettings)
        try:
            erp = erp_at(johnlewis, tried)
        except KcjlError as error:
            asker.failed(question, f"{error.message}; once more from its address on")
            question = msgspec.structs.replace(question, default=url)
            continue
        asker.say(f"it answers: Khaos Control {erp.version}, {len(erp.sites)} sites")
        return written, erp


def _pinned(asker: Asker, url: str) -> str:
    """The fingerprint of a certificate that is not trusted otherwise; empty: it is."""
    door = door_of(url)
    if not door.untrusted:
        return ""
    asker.say(f"its certificate is not trusted: {door.untrusted}")
    asker.say(f"its SHA-256 fingerprint is {door.certificate_sha256}")
    return settled(
        asker,
        Question(
            key="khaos_certificate_sha256",
            text="The fingerprint, as its server shows it",
            about="Have whoever looks after the server read it to you. With it the certificate "
            "is pinned; any other is refused.",
        ),
        lambda told: _same(told, door.certificate_sha256),
    )


def _same(told: str, shown: str) -> str:
    if told.replace(":", "").replace(" ", "").casefold() != shown:
        raise Misuse("that is another one: somebody may be between, or a letter is wrong")
    return shown


def _let_in(asker: Asker, staging: Staging, auth: str) -> dict[str, Value]:
    """Its user and its password, as they are written."""
    if auth == "none":
        return {}
    written: dict[str, Value] = {}
    if auth == "basic":
        written["user"] = settled(asker, Question(key="khaos_user", text="Its user"), str)
    else:
        parameter = Question(
            key="khaos_auth_parameter", text="Name of the parameter", default="Password"
        )
        written["auth_parameter"] = settled(asker, parameter, str)
    given = asker.ask_secret(Question(key="khaos_password", text="Its password"))
    return written | staging.placed("password", given, "khaos.password")


def _answering(url: str) -> str:
    door_of(url)
    return url


def _cloud(asker: Asker, staging: Staging) -> Table:
    """Our own endpoints, which its channel calls: they can be made ready, and not tried."""
    question = Question(
        key="cloud_certificate_file",
        text="File of our certificate",
        about="Its channel calls us over https: a certificate, and its key, both as PEM.",
        default="",
    )
    while True:
        user = settled(asker, Question(key="cloud_user", text="User of the channel"), str)
        given = asker.ask_secret(Question(key="cloud_password", text="Its password"))
        host = settled(
            asker, Question(key="cloud_host", text="We listen at", default="127.0.0.1"), str
        )
        port = settled(asker, Question(key="cloud_port", text="Port", default="8443"), _port)
        crt = settled(asker, question, str)
        key = settled(
            asker, Question(key="cloud_key_file", text="File of its key", default=""), str
        )
        written: dict[str, Value] = {"user": user, "host": host, "port": port}
        written |= staging.placed("password", given, "cloud.password")
        written |= {"certificate_file": crt, "key_file": key} if crt or key else {}
        section: Table = {"kind": "cloud", "cloud": written, "invoice_address": ADDRESS}
        try:
            tried = msgspec.convert(staging.tried(section), KhaosSettings)
            certificate(cloud_settings(tried))
        except KcjlError as error:
            asker.failed(question, error.message)
            continue
        return written


def _orders(asker: Asker, erp: Erp | None) -> dict[str, "str | Table"]:
    """What each sales order has in common."""
    couriers = dict(erp.couriers) if erp else {}
    named = tuple(f"{code} ({name})" for code, name in couriers.items())
    code = settled(
        asker,
        Question(
            key="company_code",
            text="Account of all these orders",
            about="One customer account that is there already; no buyer gets one.",
            default="JLMKT",
        ),
        _company_code,
    )
    source = Question(
        key="sales_source",
        text="Sales source",
        about="It has to be there in Khaos Control, written the same way.",
        default="JOHN LEWIS",
    )
    clearing = Question(
        key="clearing_account",
        text="Clearing account",
        about="Where sales wait until the payout clears them.",
        default="John Lewis Clearing",
    )
    courier = Question(
        key="courier",
        text="Courier of these orders, by its code",
        about="Empty: Khaos Control chooses.",
        default="",
        examples=named,
    )
    address = Question(
        key="address_line1",
        text="First line of the invoice address",
        about="Of all marketplace orders, never the buyer's: mostly your own.",
    )
    return {
        "company_code": code,
        "sales_source": settled(asker, source, str),
        "clearing_account": settled(asker, clearing, str),
        "courier_code": settled(asker, courier, lambda told: _courier(told, couriers)),
        "invoice_address": {
            "line1": settled(asker, address, str),
            "town": settled(asker, Question(key="address_town", text="Town"), str),
            "postcode": settled(asker, Question(key="address_postcode", text="Postcode"), str),
        },
    }


def _courier(told: str, couriers: dict[str, str]) -> str:
    if told and couriers and told not in couriers:
        raise Misuse(f"{told!r} is none of {', '.join(couriers)}")
    return told


def _company_code(told: str) -> str:
    if len(told) > COMPANY_CODE_MAX:
        raise Misuse(f"{told!r} is longer than {COMPANY_CODE_MAX} characters")
    return told


def _port(told: str) -> int:
    if not told.isdecimal() or not 0 < int(told) <= PORT_MAX:
        raise Misuse(f"{told!r} is no port")
    return int(told)
