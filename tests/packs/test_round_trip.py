"""YAML, workbook and model say the same; letter case and order do not matter."""

import io
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from reconciler.core.desired import Revision
from reconciler.core.pack import SharePack
from reconciler.packs.document import PackDocument, RecipientEntry, ShareEntry
from reconciler.packs.parsing import ParsedFile, parse_file
from reconciler.packs.reading import read_packs
from reconciler.packs.workbook import read_workbook
from reconciler.packs.workbook_writing import to_workbook
from reconciler.packs.writing import to_yaml
from tests.drawing import examples
from tests.packs.documents import THOROUGH, documents
from tests.packs.examples import read
from tests.packs.full_documents import NOTEBOOK, any_documents, full_documents
from tests.packs.test_workbook import without_places

EVERYTHING = {
    "metadata": {"requestor": "a@b.example", "project_name": "p", "business_line": "l", "drift": "report"},
    "recipient": [
        {"name": "r", "type": "D2O", "email": "a@b.example", "properties": {"a=b": "c\nd"}, "protect": True},
        {"name": "s", "type": "OIDC", "federation_policies": []},
    ],
    "share": [
        {
            "name": "s",
            "storage_root": "s3://b",
            "data_objects": [
                "a.b.c",
                {"name": "a.b.d", "partitions": ["x = 'a,b'"], "history": False, "start_version": 3},
                "a.b.e",
                {"name": "a.b.f", "type": "TABLE", "partitions": []},
            ],
        }
    ],
    "allow": [{"action": "delete:share/x", "until": "2027-01-01", "reason": "why"}],
    "release": ["share/y"],
}

#: A document with every field costs 0.1 s to write and read back: many of them would be minutes.
BROAD = settings(THOROUGH, max_examples=examples(40, 300))


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


@BROAD
@given(any_documents())
def test_a_workbook_carries_every_field_whatever_its_text(document: PackDocument) -> None:
    tree = read_workbook(to_workbook(document, explained=False))
    assert list(tree.flaws) == []
    assert PackDocument.model_validate(tree.data) == document


@BROAD
@given(full_documents())
def test_yaml_to_workbook_to_yaml_loses_nothing(document: PackDocument) -> None:
    text = to_yaml(document)
    from_yaml = parse_file("a.yaml", text.encode())
    assert from_yaml.document == document
    from_workbook = parse_file("a.xlsx", to_workbook(from_yaml.document, explained=False))
    assert from_workbook.document == document
    assert to_yaml(from_workbook.document) == text
    assert checked_pack(from_workbook) == checked_pack(from_yaml)


def checked_pack(parsed: ParsedFile) -> SharePack:
    files = {parsed.path: b"", NOTEBOOK: b"{}"}
    desired = read_packs(files, Revision(), "https://w", packs_folder="", parse=lambda *_: parsed)
    # A token that ends before it is replaced is odd, but not wrong.
    assert {problem.rule for problem in desired.problems} <= {"token-ends-before-rotation"}
    (pack,) = desired.packs.values()
    return without_places(pack)


def test_a_workbook_with_everything_in_it_is_the_same_bytes_each_time_and_reads_as_the_one_without() -> None:
    document = PackDocument.model_validate(EVERYTHING)
    assert to_workbook(document) == to_workbook(document)
    for explained in (True, False):
        assert document_of("a.xlsx", to_workbook(document, explained=explained)) == document


@THOROUGH
@given(documents(), st.randoms(use_true_random=False))
def test_order_and_letter_case_in_the_file_do_not_matter(document: PackDocument, chance: random.Random) -> None:
    def shuffled(texts: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
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
