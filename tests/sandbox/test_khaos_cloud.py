"""The Cloud ERP against an endpoint written from the vendor's paper, over real HTTP."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from kcjl.sandbox.faults import Fault
from kcjl.sandbox.warehouse.settings import Minutes
from tests.sandbox.cloud_endpoint import START, linked, order

pytestmark = pytest.mark.anyio

REF = "JL100200300"


@pytest.mark.parametrize("form", ["JSON", "XML"])
async def test_order_goes_from_download_to_issue(form: str) -> None:
    """Fetched, entered to the penny, shipped with courier and number, told at each step."""
    async with linked(form=form) as erp:
        erp.endpoint.orders = [order()]
        await erp.pass_minutes(1)
        (sales_order,) = erp.warehouse.orders_by_ref(REF)
        await erp.pass_minutes(9 * 60)

        assert {} == erp.errors()
        assert "129.98" == str(sales_order.gross_total.decimal())
        assert "JLMKT" == sales_order.customer_code
        deliver_to = sales_order.document.customer.deliver_to
        assert deliver_to is not None
        assert ("Leeds", "Tester") == (deliver_to.town, deliver_to.surname)
        assert START.replace(hour=8, minute=14) == sales_order.document.order_date
        last = _last_status(erp.endpoint.posted["/orderstatus"][-1], form)
        assert ("Complete", REF, "ord_01HX") == last[:3]
        assert (f"{REF}-1", "W7", Decimal(2)) == last[3:6]
        assert last[6]
        assert sales_order.invoices[0].boxes[0].courier.name == last[7]


def _last_status(body: bytes, form: str) -> tuple[Any, ...]:
    if form == "JSON":
        said = json.loads(body)["Statuses"][-1]
        shipment = said["Shipments"][0]
        item, package = shipment["Items"][0], shipment["Packages"][0]
        return (
            said["Status"], said["AssociatedRef"], said["CustomData"], item["ImportRef"],
            item["WebsiteItemRef"], Decimal(str(item["Quantity"])), package["ConsignmentRef"],
            package["Courier"]["Name"],
        )  # fmt: skip
    said = etree.fromstring(body).findall("Statuses/SalesOrderStatus")[-1]
    (item,) = said.findall("Shipments/Shipment/Items/ShipmentItem")
    (package,) = said.findall("Shipments/Shipment/Packages/ShipmentPackage")
    return (
        said.findtext("Status"), said.findtext("AssociatedRef"), said.findtext("CustomData"),
        item.findtext("ImportRef"), item.findtext("WebsiteItemRef"),
        Decimal(item.findtext("Quantity", "")), package.findtext("ConsignmentRef"),
        package.findtext("Courier"),
    )  # fmt: skip


async def test_config_is_kept_for_a_day_and_read_when_the_url_changes() -> None:
    """Cached once a day; typed again, it is read at once."""
    async with linked(statuses_every_minutes=600) as erp:
        await erp.pass_minutes(20 * 60)
        first_day = len(erp.endpoint.asked_of("/config.json"))
        await erp.pass_minutes(5 * 60)
        second_day = len(erp.endpoint.asked_of("/config.json"))
        erp.gate.change(
            "khaos_cloud", "change_config_url", {"url": erp.endpoint.root + "/config.json"}
        )
        await erp.pass_minutes(1)

        assert [1, 2, 3] == [first_day, second_day, len(erp.endpoint.asked_of("/config.json"))]


async def test_first_contact_carries_a_date_and_then_what_was_answered() -> None:
    """Sirion-Continuation: a date first, afterwards what the endpoint set; kept without one."""
    async with linked() as erp:
        await erp.pass_minutes(1)
        erp.endpoint.continuation = None
        await erp.pass_minutes(30)

        told = [each["Sirion-Continuation"] for each in erp.endpoint.asked_of("/orders")]
        assert ["2026-04-06 00:00:00Z", "after-1", "after-1"] == told


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 500, 503])
async def test_any_answer_but_200_makes_it_ask_and_say_everything_again(status: int) -> None:
    """A refused download keeps its continuation; a refused post comes again, the same."""
    async with linked() as erp:
        erp.endpoint.orders = [order()]
        await erp.pass_minutes(1)
        erp.endpoint.answers = {"/orders": [status], "/orderstatus": [status] * 2}
        erp.endpoint.continuation = "after-2"
        await erp.pass_minutes(60)

        refused = [body for body in erp.endpoint.refused if body]
        assert 2 == len(refused)
        assert refused[0] == refused[1]
        assert refused[0] in erp.endpoint.posted["/orderstatus"]
        told = [each["Sirion-Continuation"] for each in erp.endpoint.asked_of("/orders")]
        assert ["after-1", "after-1", "after-2"] == told[1:4]
        assert 1 == len(erp.warehouse.orders_by_ref(REF))
        assert {} == erp.errors()


async def test_a_refused_post_repeats_the_whole_run() -> None:
    """Of three posts the second is refused: all three come again, so data comes twice."""
    async with linked(levels_per_post=1, items_per_post=1) as erp:
        erp.warehouse.add_product("VASE-03", description="V", sell_price="9.00", physical=5)
        erp.endpoint.answers = {"/stockstatus": [500]}
        await erp.pass_minutes(1)
        erp.endpoint.answers = {}
        await erp.pass_minutes(5)
        erp.warehouse.adjust("RUG-02", 1, "found")
        erp.warehouse.adjust("VASE-03", 1, "found")
        erp.warehouse.adjust("LAMP-OAK-01", 1, "found")
        before = len(erp.endpoint.levels())
        erp.faults = [Fault(kind="repeated", operation="StockStatusUpload")]
        await erp.pass_minutes(10)

        assert ["LAMP-OAK-01", "RUG-02", "VASE-03"] == [
            each["StockCode"] for each in erp.endpoint.levels()[:before]
        ]
        later = [each["StockCode"] for each in erp.endpoint.levels()[before:]]
        assert ["LAMP-OAK-01", "LAMP-OAK-01", "RUG-02", "VASE-03"] == later


async def test_run_refused_in_its_middle_starts_again_from_its_first_post() -> None:
    """Everything is said again, also what had been taken."""
    async with linked(levels_per_post=1) as erp:
        erp.faults = [
            Fault(kind="slow", operation="StockStatusUpload", seconds=0),
            Fault(kind="lost_after", operation="StockStatusUpload"),
        ]
        await erp.pass_minutes(10)

        assert ["LAMP-OAK-01", "RUG-02"] * 2 == [
            each["StockCode"] for each in erp.endpoint.levels()
        ]


async def test_failed_orders_are_asked_for_by_specific_ids() -> None:
    """A bad order is remembered by its reference, the good one goes on; a person retries."""
    async with linked() as erp:
        bad = order("JL-BAD", Items__0__SKU="NO-SUCH")
        erp.endpoint.orders = [bad, order()]
        await erp.pass_minutes(1)
        errors = erp.errors()
        erp.endpoint.orders = [order("JL-BAD"), order()]
        wanted = erp.gate.change("khaos_cloud", "retry_orders", {})
        await erp.pass_minutes(1)

        assert ["JL-BAD"] == list(errors)
        assert "'NO-SUCH' does not exist" in errors["JL-BAD"]
        assert ["JL-BAD"] == wanted
        asked = erp.endpoint.asked_of("/orders")
        assert [None, "JL-BAD"] == [each.get("SpecificIDs") for each in asked]
        assert {} == erp.errors()
        assert {"JL-BAD", REF} == set(erp.channel.taken)


async def test_what_was_not_asked_for_is_not_taken_and_what_lacks_is_told() -> None:
    """With SpecificIDs only those references are answered, rather than all."""
    async with linked(specific_ids_quoted=True) as erp:
        await erp.pass_minutes(1)
        answer = {"Orders": [order("JL-OTHER")], "ApiVersion": 1000}
        erp.endpoint.body = json.dumps(answer).encode()
        erp.gate.change("khaos_cloud", "retry_orders", {"refs": ["JL-A", "JL-B"]})
        await erp.pass_minutes(1)

        assert '"JL-A,JL-B"' == erp.endpoint.asked_of("/orders")[-1]["SpecificIDs"]
        assert {"JL-A", "JL-B", "JL-OTHER"} == erp.errors().keys()
        assert {} == dict(erp.channel.taken)


async def test_more_than_a_thousand_orders_are_to_be_split() -> None:
    """1,001 in one answer are refused; by continuation, 1,000 and 200 are taken."""
    async with linked(warehouse={"external_ref_max": 50}) as erp:
        orders = [order(f"JL{number:06d}", Items__0__SKU="RUG-02") for number in range(1200)]
        erp.endpoint.orders = orders[:1001]
        await erp.pass_minutes(1)
        refused = erp.errors()
        erp.endpoint.orders = orders[:1000]
        erp.endpoint.continuation = "1000"
        await erp.pass_minutes(10)
        erp.endpoint.orders = orders[1000:]
        await erp.pass_minutes(15)

        assert "1001 orders in one answer" in refused["OrderDownload"]
        assert "1000" == erp.endpoint.asked_of("/orders")[-1]["Sirion-Continuation"]
        assert 1200 == len(erp.channel.taken)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Header__CustomData": ...}, "null at `$.Header.CustomData`"),
        ({"Customer__CompanyClass": None}, "required field `CompanyClass`"),
        ({"Header__Site": None}, "required field `Site`"),
        ({"Header__Site": {"ID": 1}}, "Expected `str`"),
        ({"Header__DiscountCodes": None}, "required field `DiscountCodes`"),
        ({"Items__0__ExtendedDescription": None}, "required field `ExtendedDescription`"),
        ({"Items__0__UnitPrice": None}, "required field `UnitPrice`"),
        ({"Items__0__UnitPrice": {}}, "either Net or Gross"),
        ({"Items__0__Quantity": "2"}, "Expected `decimal`, got `str`"),
        ({"Items__0__Mapping": "SKU"}, "Invalid enum value 'SKU'"),
        ({"Header__SalesSource": {"Code": "JL"}}, "can't be matched by Code"),
        ({"Header__SalesSource": {"Name": "Elsewhere"}}, "'Elsewhere' does not exist"),
        ({"Header__OrderDate": "2026-07-06T09:14:00Z"}, "matching regex"),
        ({"Header__OrderDate": "2026-13-06T09:14:00"}, "is no date"),
        ({"DeliveryAddress__Line1": "x" * 36}, "length <= 35"),
        ({"DeliveryContact__Surname": "", "DeliveryContact__Forename": ""}, "Surname"),
        ({"Customer__URN": "GONE"}, "CreateNew is Never"),
        ({"Customer__URN": ""}, "URN is blank"),
        ({"Customer__CompanyClass": {"Name": "marketplace"}}, "'marketplace' does not exist"),
        ({"Payments__0__Amount": None}, "required field `Amount`"),
        ({"Payments__0__Card__CardType": None}, "required field `CardType`"),
        ({"Header__AssociatedRef": "x" * 51}, "longer than 50"),
    ],
)
async def test_an_order_that_the_vendor_refuses_is_the_channels_error(
    changes: dict[str, Any], reason: str
) -> None:
    """It is remembered with its reason, leaves nothing behind, and hinders no other order."""
    async with linked() as erp:
        bad = order("JL-BAD", **changes)
        if changes.get("Header__CustomData") is ...:
            bad["Header"]["CustomData"] = None
        erp.endpoint.orders = [bad, order()]
        await erp.pass_minutes(1)

        (said,) = erp.errors().values()
        assert reason in said
        assert [REF] == list(erp.channel.taken)
        assert 1 == len(erp.warehouse.sales_orders)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no JSON"),
        (b'{"Orders": []}', "ApiVersion"),
        (b'{"ApiVersion": 1000}', "Orders is required"),
        (b'{"ApiVersion": 999, "Orders": []}', "ApiVersion"),
        (b'{"ApiVersion": 1000, "Orders": NaN}', "no JSON"),
    ],
)
async def test_an_answer_that_is_no_order_document_keeps_the_continuation(
    body: bytes, reason: str
) -> None:
    """Nothing is taken, and the same is asked again."""
    async with linked() as erp:
        erp.endpoint.body = body
        await erp.pass_minutes(1)
        errors = erp.errors()
        erp.endpoint.body = None
        erp.endpoint.orders = [order()]
        await erp.pass_minutes(5)

        assert reason in errors["OrderDownload"]
        told = [each["Sirion-Continuation"] for each in erp.endpoint.asked_of("/orders")]
        assert told[0] == told[1]
        assert [REF] == list(erp.channel.taken)


async def test_an_old_order_is_skipped_and_an_earlier_one_is_not_taken_twice() -> None:
    """Placed over three months ago: not imported. Seen before: not looked at again."""
    async with linked() as erp:
        old = order("JL-OLD", Header__OrderDate="2026-04-05T23:59:00")
        changed = order(Items__0__Quantity=9.0)
        erp.endpoint.orders = [old, order(), changed]
        await erp.pass_minutes(1)

        assert {"JL-OLD"} == erp.channel.view().skipped.keys()
        assert [REF] == list(erp.channel.taken)
        assert 1 == erp.channel.view().repeated_orders
        assert 2 == erp.warehouse.orders_by_ref(REF)[0].quantity_sold


@pytest.mark.parametrize(
    ("form", "number"),
    [("XML", "NaN"), ("XML", "1e999999"), ("JSON", "1e999999"), ("JSON", "1e-999999")],
)
async def test_number_that_is_none_is_refused(form: str, number: str) -> None:
    """Neither NaN nor a million digits is a quantity; the next order goes on."""
    async with linked(form=form) as erp:
        bad = order("JL-BAD", Items__0__Quantity="@" if form == "JSON" else number)
        erp.endpoint.orders = [bad, order()]
        if form == "JSON":
            said = {"Orders": erp.endpoint.orders, "ApiVersion": 1000}
            said["Config"] = erp.endpoint.config
            erp.endpoint.body = json.dumps(said).replace('"@"', number).encode()
        await erp.pass_minutes(1)

        assert ["JL-BAD"] == list(erp.errors())
        assert [REF] == list(erp.channel.taken)


async def test_order_nested_without_end_is_refused() -> None:
    """It is remembered, and nothing breaks."""
    async with linked() as erp:
        deep: dict[str, Any] = {}
        for _ in range(400):
            deep = {"Deeper": deep}
        erp.endpoint.orders = [order("JL-BAD", Header__Extra=deep, Items=[]), order()]
        await erp.pass_minutes(1)

        assert ["JL-BAD"] == list(erp.errors())
        assert [REF] == list(erp.channel.taken)


@pytest.mark.parametrize(("sent", "told"), [("formatted", f"KCC{REF}"), ("plain", REF)])
async def test_order_ref_format_changes_the_associated_ref(sent: str, told: str) -> None:
    """The channel's format makes the reference another; statuses carry it, or don't."""
    async with linked(order_ref_format="KCC{0}", associated_ref_sent=sent) as erp:
        erp.endpoint.orders = [order()]
        await erp.pass_minutes(30)

        assert 1 == len(erp.warehouse.orders_by_ref(f"KCC{REF}"))
        assert {told} == {each["AssociatedRef"] for each in erp.endpoint.statuses()}


async def test_levels_are_net_of_what_is_allocated_and_come_when_they_change() -> None:
    """All at the first link, one a site; then what changed only; none of what isn't counted."""
    async with linked() as erp:
        erp.warehouse.add_product(
            "FITTING", description="F", sell_price="30.00", stock_controlled=False
        )
        await erp.pass_minutes(1)
        first = {each["StockCode"]: each.get("Levels") for each in erp.endpoint.levels()}
        erp.endpoint.orders = [order()]
        count = len(erp.endpoint.levels())
        await erp.pass_minutes(20)

        assert {"Available": 17.0, "OnOrder": 0.0} == first["LAMP-OAK-01"]
        assert first["FITTING"] is None
        later = erp.endpoint.levels()[count:]
        assert [("LAMP-OAK-01", 15.0)] == [
            (each["StockCode"], each["Levels"]["Available"]) for each in later
        ]


async def test_levels_go_in_groups_of_a_hundred_at_most() -> None:
    """250 items: posts of 100, 100 and 52; items in bulk too."""
    async with linked() as erp:
        for number in range(250):
            erp.warehouse.add_product(
                f"SKU-{number:03d}", description="S", sell_price="1.00", physical=1
            )
        await erp.pass_minutes(1)

        sizes = [len(json.loads(b)["Statuses"]) for b in erp.endpoint.posted["/stockstatus"]]
        assert [100, 100, 52] == sizes
        items = [len(json.loads(b)["Items"]) for b in erp.endpoint.posted["/stock"]]
        assert [100, 100, 52] == items


async def test_items_are_sent_on_change_and_unlisted_ones_are_deleted() -> None:
    """After the first link an item comes when it was edited; off the channel, by its id."""
    async with linked() as erp:
        await erp.pass_minutes(1)
        erp.warehouse.agenda.advance(START + timedelta(minutes=2))
        erp.warehouse.edit_product("RUG-02", discontinued=True)
        erp.gate.change("khaos_cloud", "unlist_product", {"code": "LAMP-OAK-01"})
        await erp.pass_minutes(10)

        last = json.loads(erp.endpoint.posted["/stock"][-1])
        assert 2 == len(erp.endpoint.posted["/stock"])
        assert [("RUG-02", True)] == [
            (each["StockCode"], each["Options"]["Discontinued"]) for each in last["Items"]
        ]
        lamp = erp.warehouse.stock.get("LAMP-OAK-01")
        assert [str(lamp.item_id)] == last["Deleted"]


@pytest.mark.parametrize("example", [True, False])
async def test_both_spellings_of_the_vendors_paper_are_sent(*, example: bool) -> None:
    """Status and ShortDescription as in the examples, or the table's names."""
    switches: dict[str, Any] = {} if example else {
        "status_field": "OrderStatus", "description_field": "StockDescription",
        "stock_items_form": "object", "deleted_form": "objects",
    }  # fmt: skip
    async with linked(**switches) as erp:
        erp.endpoint.orders = [order()]
        await erp.pass_minutes(10)

        status = erp.endpoint.statuses()[0]
        items = json.loads(erp.endpoint.posted["/stock"][0])["Items"]
        item = (items if example else items["Items"])[0]
        assert ["Received"] == [status[n] for n in ("Status", "OrderStatus") if n in status]
        assert example == ("Status" in status)
        assert example == ("ShortDescription" in item)


@pytest.mark.parametrize("name", ["CReturnDownload", "CustomerReturnDownload"])
@pytest.mark.parametrize("form", ["array", "object"])
async def test_returns_are_taken_in_both_spellings(name: str, form: str) -> None:
    """An array with ReturnedItems, or an object with ReturnItems: once, into stock if asked."""
    async with linked() as erp:
        erp.endpoint.returns_name = name
        erp.endpoint.orders = [order()]
        await erp.pass_minutes(1)
        table = form == "array"
        said = {
            "AssociatedRef": "RET-1", "CreatedDate": "2026-07-06T09:00:00", "URN": "JLMKT",
            "InvoiceAddress": order()["InvoiceAddress"],
            "InvoiceContact": order()["InvoiceContact"], "ProcessReturn": True,
            "ReturnedItems" if table else "ReturnItems": [
                {
                    "SKU": "LAMP-OAK-01", "Mapping": [{"Mapping": "StockCode"}],
                    "Quantity": 1, "ReturnReason": {"ID": "6"},
                    "SourceReference" if table else "SourceReturnReference": {
                        "SourceOrder": {"AssociatedRef": REF}
                    },
                }
            ],
        }  # fmt: skip
        erp.endpoint.returns = [said] if table else said
        await erp.pass_minutes(30)

        assert {} == erp.errors()
        assert {"RET-1": True} == erp.channel.view().returns
        assert 16 == erp.warehouse.level("LAMP-OAK-01")


async def test_part_shipment_two_boxes_and_un_shipped_are_told() -> None:
    """What is there goes in two parcels, the rest waits; taken back, the numbers are gone."""
    slow = {"issued_after": Minutes(at_least=600, at_most=600), "stages_after_shipping": ()}
    async with linked(warehouse=slow) as erp:
        erp.endpoint.orders = [
            order(
                Items__0__Quantity=20.0, Header__GrossTotal=1299.80, Payments__0__Amount=1299.8
            )
        ]
        await erp.pass_minutes(4 * 60)
        part = erp.endpoint.statuses()[-1]
        erp.gate.change("khaos", "un_ship", {"external_ref": REF})
        await erp.pass_minutes(8)
        back = erp.endpoint.statuses()[-1]

        assert "PartialShip" == part["Status"]
        assert [17.0, 3.0] == [each["Items"][0]["Quantity"] for each in part["Shipments"]]
        numbers = [each["ConsignmentRef"] for each in part["Shipments"][0]["Packages"]]
        assert 2 == len(set(numbers))
        assert "AwaitingStock" == part["Shipments"][1]["Status"]
        assert all("ConsignmentRef" not in p for s in back["Shipments"] for p in s["Packages"])


async def test_shipment_date_is_london_wall_time_without_an_offset() -> None:
    """In July the wall clock is an hour ahead of UTC."""
    async with linked() as erp:
        erp.endpoint.orders = [order()]
        await erp.pass_minutes(9 * 60)

        (invoice,) = erp.warehouse.orders_by_ref(REF)[0].invoices
        assert invoice.shipped_at is not None
        wall = (invoice.shipped_at + timedelta(hours=1)).replace(tzinfo=None, microsecond=0)
        (package,) = erp.endpoint.statuses()[-1]["Shipments"][0]["Packages"]
        assert wall.isoformat() == package["ShipmentDate"]


async def test_cancelled_order_is_told_as_cancelled() -> None:
    """Cancelled in the ERP: the status says so, and no shipment is left."""
    async with linked() as erp:
        erp.endpoint.orders = [order()]
        await erp.pass_minutes(1)
        erp.gate.change("khaos", "cancel_order", {"external_ref": REF, "reason": "no stock"})
        await erp.pass_minutes(10)

        last = erp.endpoint.statuses()[-1]
        assert ("Cancelled", []) == (last["Status"], last["Shipments"])


@pytest.mark.parametrize(
    ("answer", "taken", "held"),
    [("Abort", False, False), ("ImportAndHold", True, True), ("Skip", True, False)],
)
async def test_discontinued_items_are_aborted_on_held_or_skipped(
    answer: str, *, taken: bool, held: bool
) -> None:
    """As Config.DiscontinuedItems says."""
    async with linked() as erp:
        erp.warehouse.edit_product("RUG-02", discontinued=True)
        both = order()
        both["Items"].append(both["Items"][0] | {"SKU": "RUG-02", "Quantity": 1})
        erp.endpoint.config["DiscontinuedItems"] = answer
        erp.endpoint.orders = [both]
        await erp.pass_minutes(1)

        found = erp.warehouse.orders_by_ref(REF)
        assert taken == bool(found)
        assert held == any(i.stage == 19 for o in found for i in o.invoices)
        assert (answer == "Skip") == (1 == len(found[0].lines) if found else False)


async def test_customers_are_matched_on_what_the_config_names() -> None:
    """A second order of the same surname and postcode is the same customer's, others not."""
    async with linked() as erp:
        erp.endpoint.config["MatchCompanyOn"] = ["Surname", "Postcode"]
        new = {"Customer__CreateNew": "IfNoMatch", "Customer__URN": None}
        erp.endpoint.orders = [
            order("JL-1", **new), order("JL-2", **new),
            order("JL-3", InvoiceContact__Surname="Other", **new),
            order("JL-4", **(new | {"Customer__CreateNew": "Always"})),
        ]  # fmt: skip
        await erp.pass_minutes(1)

        codes = [erp.warehouse.orders_by_ref(f"JL-{n}")[0].customer_code for n in range(1, 5)]
        assert codes[0] == codes[1]
        assert 3 == len(set(codes))


async def test_company_code_stands_alone_in_what_is_matched_on() -> None:
    """With another rule beside it no order is taken."""
    async with linked() as erp:
        erp.endpoint.config["MatchCompanyOn"] = ["CompanyCode", "Postcode"]
        erp.endpoint.orders = [order()]
        await erp.pass_minutes(1)

        assert "stand alone" in erp.errors()[REF]


async def test_gross_total_takes_what_rounding_left() -> None:
    """Net prices come to a penny less than the customer paid: the order is what was paid."""
    async with linked() as erp:
        erp.endpoint.orders = [
            order(
                Items__0__UnitPrice={"Net": 54.16}, Header__CalcMethod=1,
                Header__GrossTotal=129.99,
            )
        ]  # fmt: skip
        await erp.pass_minutes(1)

        (found,) = erp.warehouse.orders_by_ref(REF)
        assert "129.99" == str(found.gross_total.decimal())


async def test_an_order_without_payment_is_unpaid_or_on_account() -> None:
    """RemainderOnAccount makes an account order; without it, payment is waited for."""
    async with linked() as erp:
        erp.endpoint.orders = [
            order("JL-1", Payments=[]),
            order("JL-2", Payments=[], Header__RemainderOnAccount=True),
        ]
        await erp.pass_minutes(1)

        paid = [erp.warehouse.orders_by_ref(f"JL-{n}")[0].paid for n in (1, 2)]
        assert [False, True] == paid


async def test_the_same_answers_give_the_same_channel() -> None:
    """What was recorded and played again ends in the same world: sent bodies, stock, orders."""
    pictures = []
    for _ in range(2):
        async with linked() as erp:
            erp.endpoint.orders = [order(), order("JL-2", Items__0__Quantity=20.0)]
            await erp.pass_minutes(6 * 60)
            sent = {path: list(bodies) for path, bodies in erp.endpoint.posted.items()}
            view = erp.channel.view()
            pictures.append((sent, view.taken, view.due, erp.warehouse.level("LAMP-OAK-01")))

    assert pictures[0] == pictures[1]


async def test_nothing_is_downloaded_before_a_configuration_was_read() -> None:
    """A config without its required endpoints, or a page that is no file, is refused."""
    async with linked() as erp:
        erp.endpoint.answers = {"/config.json": [404] * 3}
        await erp.pass_minutes(3)

        assert ["/config.json"] * 3 == [path for path, _ in erp.endpoint.asked]
        assert "404" in erp.errors()["Config"]
        erp.gate.change(
            "khaos_cloud", "change_config_url", {"url": erp.endpoint.root + "/config"}
        )
        await erp.pass_minutes(1)
        assert "no .json or .xml file" in erp.errors()["Config"]


async def test_start_date_of_the_channel_is_the_first_continuation() -> None:
    """Orders placed before it are skipped, and it is what the first contact carries."""
    async with linked(starts_from="2026-07-01T00:00:00Z") as erp:
        erp.endpoint.orders = [order(Header__OrderDate="2026-06-30T23:00:00")]
        await erp.pass_minutes(1)

        told = erp.endpoint.asked_of("/orders")[0]["Sirion-Continuation"]
        assert "2026-07-01 00:00:00Z" == told
        assert {REF} == erp.channel.view().skipped.keys()
        assert datetime(2026, 7, 1, tzinfo=UTC) == erp.channel.settings.starts_from
