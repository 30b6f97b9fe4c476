"""One sales order sent: what each answer means for a write."""

import pytest

from kcjl.errors import CredentialsRefused, OutcomeUnknown, Refused, Unavailable
from tests.khaos.conftest import MakeAdapter
from tests.khaos.samples import imported, order, skipped
from tests.khaos.server import CUT, SILENT, ScriptedErp, fault, half_of, http, soap, string

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "answer",
    [skipped("Duplicate of an order"), fault("Duplicate of an order"), fault("x", status=200)],
    ids=["skip", "fault", "fault with status 200"],
)
async def test_create_order_plain_no_is_refused(
    erp: ScriptedErp, make: MakeAdapter, answer: bytes
) -> None:
    """A skip and a business fault are a no, with the ERP's words."""
    erp.will_say("ImportOrders", answer)

    with pytest.raises(Refused, match=r"Duplicate of an order|^x$"):
        await make().create_order(order())
    assert 1 == len(erp.calls)


UNCLEAR: dict[str, bytes | None] = {
    "cut": CUT,
    "silent": SILENT,
    "half": half_of(imported()),
    "half without length": http(
        200, half_of(imported()).partition(b"\r\n\r\n")[2], sized=False
    ),
    "empty body": http(200, b""),
    "HTML": http(200, "<!DOCTYPE html><html><body>Busy</body></html>", "text/html"),
    "HTML 500": http(500, "<html><body>Server Error</body></html>", "text/html"),
    "502": http(502, "Bad gateway", "text/plain"),
    "503 with a fault": fault("Item is discontinued", status=503),
    "429": http(429, "", Retry_After="7"),
    "404": http(404, "not here", "text/plain"),
    "redirect": http(302, "", Location="http://127.0.0.1:1/"),
    "no XML": http(200, "OK"),
    "other XML": http(200, "<ok/>"),
    "no content": soap("ImportOrders", ""),
    "count without code": imported(code=""),
    "code without count": imported(count=0),
    "another order's code": imported(ref="JL999"),
    "count no number": soap(
        "ImportOrders", "<return><ImportedCount>x</ImportedCount></return>"
    ),
    "circle": soap("ImportOrders", '<return href="#1"/>', after='<x id="1"><y href="#1"/></x>'),
    "reference to itself": soap(
        "ImportOrders", '<return href="#1"/>', after='<x id="1" href="#1"/>'
    ),
    "count and skip": soap(
        "ImportOrders",
        "<return><ImportedCount>1</ImportedCount><OrderSkipped><item><OrderRef>1</OrderRef>"
        "<SkipReason>dup</SkipReason></item></OrderSkipped></return>",
    ),
    "broken reference": soap("ImportOrders", '<return href="#9"/>'),
    "broken document": string("ImportOrders", "<RESULT><ImportedCount>1"),
    "deadlock": fault("deadlock", "EIBInterBaseError"),
    "database": fault("lost connection", "EFDDBEngineException"),
    "socket": fault("reset", "EIdSocketError"),
    "timeout": fault("too slow", "ETimeout"),
    "access violation": fault("at address 0", "EAccessViolation"),
}


@pytest.mark.parametrize("name", UNCLEAR)
async def test_create_order_unclear_answer_is_outcome_unknown(
    erp: ScriptedErp, make: MakeAdapter, name: str
) -> None:
    """Once it was sent, anything but a plain yes or no has to be looked up; nothing repeats."""
    erp.will_say("ImportOrders", UNCLEAR[name])

    with pytest.raises(OutcomeUnknown):
        await make(read_timeout_s=0.3).create_order(order())
    assert 1 == len(erp.calls)


async def test_create_order_no_connection_is_unavailable(
    make: MakeAdapter, erp: ScriptedErp
) -> None:
    """Nothing was sent: it can be sent again without a look."""
    adapter = make(url="http://127.0.0.1:1/Live")

    with pytest.raises(Unavailable, match="nothing was sent"):
        await adapter.create_order(order())


async def test_create_order_unknown_interface_was_not_run(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """A service that does not know the method did nothing; it is no order's fault."""
    erp.will_say("ImportOrders", fault("Interface not supported", "EIntfCastError"))

    with pytest.raises(Unavailable, match="not run"):
        await make().create_order(order())


@pytest.mark.parametrize("status", [401, 403])
async def test_create_order_no_access_is_credentials_refused(
    erp: ScriptedErp, make: MakeAdapter, status: int
) -> None:
    """A closed door is not the order's fault either."""
    erp.will_say("ImportOrders", http(status, "<html>no</html>", "text/html"))

    with pytest.raises(CredentialsRefused):
        await make().create_order(order())


async def test_create_order_fault_that_quotes_the_buyer_is_told_without(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """No personal data leaves in an error: it would get into the log."""
    erp.will_say(
        "ImportOrders", fault("Item LAMP-OAK-01 for ada TESTER, zz9 9zz, is discontinued")
    )

    with pytest.raises(Refused) as caught:
        await make().create_order(order())

    assert "Item LAMP-OAK-01 for […] […], […], is discontinued" == caught.value.message
