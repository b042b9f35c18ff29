"""YAML, workbook and model say the same; letter case and order do not matter."""

import io
import random

from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from reconciler.core.pack import SharePack
from reconciler.packs.document import PackDocument, RecipientEntry, ShareEntry
from reconciler.packs.parsing import parse_file
from reconciler.packs.workbook_writing import to_workbook
from reconciler.packs.writing import to_yaml
from tests.packs.documents import THOROUGH, documents
from tests.packs.examples import read
from tests.packs.test_workbook import without_places


def document_of(path: str, data: bytes) -> PackDocument:
    parsed = parse_file(path, data)
    assert parsed.problems == ()
    assert parsed.document is not None
    return parsed.document


def pack_of(document: PackDocument) -> SharePack:
    desired = read({"a.yaml": to_yaml(document).encode()})
    assert desired.problems == ()
    (pack,) = desired.packs.values()
    return without_places(pack)


@THOROUGH
@given(documents())
def test_a_document_written_as_yaml_reads_as_the_same_document(document: PackDocument) -> None:
    assert document_of("a.yaml", to_yaml(document).encode()) == document


@THOROUGH
@given(documents())
def test_a_document_written_as_a_workbook_reads_as_the_same_document(document: PackDocument) -> None:
    data = to_workbook(document)
    assert document_of("a.xlsx", data) == document
    assert to_workbook(document) == data


@THOROUGH
@given(documents())
def test_yaml_to_workbook_to_yaml_loses_nothing(document: PackDocument) -> None:
    text = to_yaml(document)
    assert to_yaml(document_of("a.xlsx", to_workbook(document_of("a.yaml", text.encode())))) == text


@THOROUGH
@given(documents(), st.randoms(use_true_random=False))
def test_order_and_letter_case_in_the_file_do_not_matter(document: PackDocument, chance: random.Random) -> None:
    def shuffled(texts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if texts is None else tuple(chance.sample([_swapped(text) for text in texts], len(texts)))

    def recipient(entry: RecipientEntry) -> RecipientEntry:
        update = {"name": _swapped(entry.name), "allowed_ips": shuffled(entry.allowed_ips)}
        return entry.model_copy(update=update)

    def share(entry: ShareEntry) -> ShareEntry:
        update = {"recipients": shuffled(entry.recipients), "data_objects": shuffled(entry.data_objects)}
        return entry.model_copy(update=update | {"name": _swapped(entry.name)})

    other = document.model_copy(
        update={
            "recipient": tuple(
                chance.sample([recipient(entry) for entry in document.recipient], len(document.recipient))
            ),
            "share": tuple(chance.sample([share(entry) for entry in document.share], len(document.share))),
        }
    )
    assert pack_of(other) == pack_of(document)


def _swapped(text: str) -> str:
    """In the other letter case, where that is only a matter of letter case."""
    return text.swapcase() if text.swapcase().lower() == text.lower() else text


def test_a_list_longer_than_a_cell_continues_in_the_next_row() -> None:
    names = [f"catalog_{number}.schema.a_table_with_a_long_name" for number in range(3_000)]
    metadata = {"requestor": "a@b.example", "project_name": "p", "business_line": "l"}
    document = PackDocument.model_validate({"metadata": metadata, "share": [{"name": "s", "data_objects": names}]})
    data = to_workbook(document)
    assert document_of("a.xlsx", data) == document
    rows = list(load_workbook(io.BytesIO(data))["Shares"].iter_rows(values_only=True))
    assert [row[0] for row in rows] == ["name", "s", "+", "+", "+", "+"]
    assert max(len(str(cell)) for row in rows for cell in row) < 32_767
