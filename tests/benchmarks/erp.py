"""An ERP that only answers, in a process of its own: levels, and one list of all codes.

Everything that can be is made before the first request: what is measured is the client. It
shares no code with the adapter or the sandbox.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from tests.benchmarks.serving import serving_alone

__all__ = ["CODES", "asked_for", "code", "serving"]

CODES = 100_000
_ENVELOPE = (
    '<?xml version="1.0"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><S:Body>'
    '<N:{0}Response xmlns:N="urn:IKosWebIntf-IKosWeb">{1}</N:{0}Response>'
    "</S:Body></S:Envelope>"
)
_LEVEL = (
    '&lt;STOCK_ITEM CODE="{0}" ID="4{1}" OTHER_REF="50123{1}" DESC="Oak table lamp, no {1}"&gt;'
    "&lt;BUY_PRICE&gt;21.40&lt;/BUY_PRICE&gt;&lt;SELL_PRICE&gt;64.99&lt;/SELL_PRICE&gt;"
    "&lt;WEBSELL_PRICE&gt;0&lt;/WEBSELL_PRICE&gt;&lt;SAFE_LEVEL&gt;6&lt;/SAFE_LEVEL&gt;"
    "&lt;MIN_LEVEL&gt;2&lt;/MIN_LEVEL&gt;&lt;LEVEL&gt;{2}&lt;/LEVEL&gt;&lt;STATUS&gt;0"
    "&lt;/STATUS&gt;&lt;LEAD_TIME&gt;2026-04-10&lt;/LEAD_TIME&gt;&lt;/STOCK_ITEM&gt;"
)
_INFO = (
    "<item><StockCode>{0}</StockCode><OtherRef>50123{1}</OtherRef><StockDesc>Oak table lamp, "
    "no {1}</StockDesc><ParentCode/><ParentOtherRef/><LastUpdated>2026-03-02T12:30:26.497Z"
    "</LastUpdated></item>"
)
_ASKED = re.compile(rb"<StockCode[^>]*>([^<]*)</StockCode>")


def code(number: int) -> str:
    return f"LAMP-OAK-{number:06}"


def asked_for(codes: list[str]) -> bytes:
    """The same call as the adapter's, for a client without one."""
    call = (
        '<k:ExportStockStatus xmlns:k="urn:IKosWebIntf-IKosWeb">'
        f"<StockCode>{','.join(codes)}</StockCode><MappingType>1</MappingType>"
        "<LastUpdated>1899-12-31T00:00:00</LastUpdated><SiteID>1</SiteID>"
        "<PotentialLeadTime>false</PotentialLeadTime></k:ExportStockStatus>"
    )
    return (
        '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
        f"{call}</S:Body></S:Envelope>"
    ).encode()


@contextmanager
def serving() -> Iterator[str]:
    """Its base URL, while it runs."""
    with serving_alone(_app) as url:
        yield url


def _app() -> web.Application:
    rows = {
        code(number): _LEVEL.format(code(number), f"{number:06}", number % 90)
        for number in range(CODES)
    }
    infos = "".join(_INFO.format(code(number), f"{number:06}") for number in range(CODES))
    list_of_all = _answer("GetStockList", f"<return><List>{infos}</List></return>")

    async def soap(request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers["SOAPAction"].strip('"').endswith("#GetStockList"):
            return web.Response(body=list_of_all, content_type="text/xml", charset="utf-8")
        asked = _ASKED.search(body)
        inner = "".join(rows[each] for each in asked[1].decode().split(",")) if asked else ""
        text = f"&lt;STOCK_STATUS&gt;{inner}&lt;/STOCK_STATUS&gt;"
        answer = _answer("ExportStockStatus", f'<return xsi:type="xsd:string">{text}</return>')
        return web.Response(body=answer, content_type="text/xml", charset="utf-8")

    app = web.Application()
    app.router.add_post("/KhaosKSD.exe/soap/IKosWeb", soap)
    return app


def _answer(method: str, inner: str) -> bytes:
    return _ENVELOPE.format(method, inner).encode()
