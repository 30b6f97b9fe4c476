"""OR72, OR73 and OR74, client against sandbox, happy and failing."""

import pytest

from kcjl.errors import CredentialsRefused, NotFound
from kcjl.johnlewis.documents_port import DocumentUpload, missing_documents
from kcjl.johnlewis.reversal_port import ItemResult
from tests.johnlewis.test_seller_api_sandbox import one, serving

pytestmark = pytest.mark.anyio

INVOICE = DocumentUpload(
    file_name="inv-1.pdf", type_code="CUSTOMER_INVOICE", content=b"%PDF-1.7 \x00\xff invoice"
)
NOTE = DocumentUpload(
    file_name="note.txt", type_code="OTHER", content=b"hello", content_type="text/plain"
)


async def test_documents_are_kept_listed_and_given_back_to_the_byte() -> None:
    """OR74, OR72, OR73 of one and of several, and the order that has its invoice."""
    async with serving() as world:
        api, order = world.api(), world.shop.order_to_ship()
        told = await api.upload_documents(order.order_id, [INVOICE, NOTE])
        listed = await api.order_documents([order.order_id, "700-B"])
        single = await api.download_document(listed[0].document_id)
        several = await api.download_documents(order_ids=[order.order_id])
        after = await one(api, order.order_id)
        kept = list(world.shop.marketplace.documents.by_id.values())

    assert [ItemResult.DONE, ItemResult.DONE] == [each.result for each in told]
    assert [(INVOICE.file_name, INVOICE.content), (NOTE.file_name, NOTE.content)] == [
        (each.file_name, each.content) for each in kept
    ]
    assert [(str(each.document_id), each.file_name, len(each.content)) for each in kept] == [
        (each.document_id, each.file_name, each.size_bytes) for each in listed
    ]
    assert [INVOICE.content] == [each.content for each in single.files]
    assert {INVOICE.file_name: INVOICE.content, NOTE.file_name: NOTE.content} == {
        each.file_name: each.content for each in several.files
    }
    assert after.has_invoice
    assert [] == list(missing_documents(order.order_id, listed, [INVOICE, NOTE]))


async def test_file_that_is_refused_says_why_and_the_others_are_kept() -> None:
    """OR74: by file: done, a type that shops have not, a name that is there already."""
    bill = DocumentUpload(file_name="b.pdf", type_code="SYSTEM_DELIVERY_BILL", content=b"x")
    async with serving() as world:
        api, order = world.api(), world.shop.order_to_ship()
        first, wrong = await api.upload_documents(order.order_id, [INVOICE, bill])
        (twice,) = await api.upload_documents(order.order_id, [INVOICE])
        kept = [each.file_name for each in world.shop.marketplace.documents.by_id.values()]

    assert (ItemResult.DONE, ItemResult.REFUSED, ItemResult.REFUSED) == (
        first.result,
        wrong.result,
        twice.result,
    )
    assert ("INVALID_TYPE", "DUPLICATE_FILE_NAME") == (wrong.reason_code, twice.reason_code)
    assert wrong.message
    assert [INVOICE.file_name] == kept


async def test_documents_that_are_not_there_are_not_found() -> None:
    """OR73 of a document, OR74 of an order that nobody knows."""
    async with serving() as world:
        api = world.api()
        with pytest.raises(NotFound):
            await api.download_document("1")
        with pytest.raises(NotFound):
            await api.upload_documents("700-B", [INVOICE])

        assert {} == world.shop.marketplace.documents.by_id


async def test_documents_of_a_stranger_are_neither_told_nor_kept() -> None:
    """OR72, OR73 and OR74: a wrong key is a 401."""
    async with serving() as world:
        order, api = world.shop.order_to_ship(), world.api("somebody")
        with pytest.raises(CredentialsRefused):
            await api.order_documents([order.order_id])
        with pytest.raises(CredentialsRefused):
            await api.download_document("1")
        with pytest.raises(CredentialsRefused):
            await api.upload_documents(order.order_id, [INVOICE])

        assert {} == world.shop.marketplace.documents.by_id
