"""Workbooks for tests: from rows of values, and with their parts changed by hand as Excel would not."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook

_MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KINDS = b"application/vnd.openxmlformats-officedocument.spreadsheetml"

METADATA: Sequence[Sequence[Any]] = [
    ["Field", "Value"],
    ["requestor", "ann@example.com"],
    ["project_name", "Orders"],
    ["business_line", "Sales"],
]
RECIPIENTS: Sequence[Sequence[Any]] = [
    ["name", "type", "email", "metastore_id", "allowed_ips", "comment"],
    ["partner", "D2O", "data@partner.example", None, None, None],
]
SHARES: Sequence[Sequence[Any]] = [
    ["name", "comment", "recipients", "data_objects"],
    ["orders", None, "partner", "prod.sales.orders"],
]
#: The tables of the guide, cell by cell.
GUIDE: Mapping[str, Sequence[Sequence[Any]]] = {
    "Metadata": [
        ["Field", "Value"],
        ["requestor", "john.doe@jll.com"],
        ["project_name", "Corporate Finance Q1 Data Share"],
        ["business_line", "Corporate Finance"],
        ["strategy", "NEW"],
        ["description", "Q1 financial data sharing with external auditors"],
    ],
    "Recipients": [
        ["name", "type", "email", "metastore_id", "allowed_ips", "comment"],
        [
            "external-auditor",
            "D2O",
            "auditor@external.com",
            None,
            "203.0.113.0/24,198.51.100.50",
            "External auditing firm",
        ],
        ["internal-analyst", "D2D", None, "aws:us-west-2:abc-123-def", None, "Internal data analyst team"],
    ],
    "Shares": [
        ["name", "comment", "recipients", "data_objects"],
        [
            "finance_q1_share",
            "Q1 financial data",
            "external-auditor,internal-analyst",
            "catalog.schema.revenue_table,catalog.schema.expense_table",
        ],
        ["audit_log_share", "Audit logs for compliance", "external-auditor", "catalog.audit_schema.activity_log"],
    ],
    "Pipelines": [["name", "type", "schedule", "source", "destination", "comment"], ["(empty for MVP)"]],
}


def workbook(change: Callable[[Workbook], None] = lambda _: None, **sheets: Sequence[Sequence[Any]]) -> bytes:
    """A small valid workbook; sheets given by name replace those of it."""
    return written({"Metadata": METADATA, "Recipients": RECIPIENTS, "Shares": SHARES} | sheets, change)


def written(
    sheets: Mapping[str, Sequence[Sequence[Any]]], change: Callable[[Workbook], None] = lambda _: None
) -> bytes:
    book = Workbook()
    del book["Sheet"]
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def as_excel_saves(data: bytes) -> bytes:
    """The same workbook with its texts in one table of shared strings, where Excel keeps them and openpyxl does not."""
    texts: list[bytes] = []

    def shared(found: re.Match[bytes]) -> bytes:
        texts.append(found[1])
        return b't="s"><v>%d</v>' % (len(texts) - 1)

    for number in range(1, 5):
        name = f"xl/worksheets/sheet{number}.xml"
        data = with_part(
            data, name, re.sub(rb't="inlineStr"><is>(.*?)</is>', shared, part(data, name), flags=re.DOTALL)
        )
    table = b'<sst xmlns="%s">%s</sst>' % (_MAIN, b"".join(b"<si>%s</si>" % text for text in texts))
    link = b'<Relationship Id="rId99" Type="%s/sharedStrings" Target="sharedStrings.xml" /></Relationships>' % _LINKS
    kind = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s.sharedStrings+xml" /></Types>' % _KINDS
    data = with_part(data, "xl/sharedStrings.xml", table)
    data = edited(data, "xl/_rels/workbook.xml.rels", b"</Relationships>", link)
    return edited(data, "[Content_Types].xml", b"</Types>", kind)


def packed_otherwise(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as target:
        for each in source.namelist():
            target.writestr(each, source.read(each))
    return stream.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The workbook with a part added or replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for each in source.namelist():
            if each != name:
                target.writestr(each, source.read(each))
        target.writestr(name, content)
    return stream.getvalue()


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def edited(data: bytes, name: str, before: bytes, after: bytes) -> bytes:
    content = part(data, name)
    assert before in content
    return with_part(data, name, content.replace(before, after))
