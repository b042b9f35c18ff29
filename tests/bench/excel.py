"""Reading a pack from a workbook of many rows, and openpyxl's own read-only parse of the same bytes."""

import io
import time
from statistics import median

from openpyxl import load_workbook

from reconciler.core.desired import Revision
from reconciler.packs.document import PackDocument
from reconciler.packs.reading import read_packs
from reconciler.packs.workbook_writing import to_workbook
from tests.bench.task import Elsewhere, Task

_PATH = "sharepacks/sales-operations/many-rows.xlsx"


def workbook(rows: int) -> bytes:
    """One pack whose shares and recipients fill so many rows, half of them each."""
    recipients = rows // 2
    document = PackDocument.model_validate(
        {
            "metadata": {
                "requestor": "p@example.com",
                "project_name": "Many Rows",
                "business_line": "Sales Operations",
            },
            "recipient": [
                {"name": f"partner-{number}", "type": "D2O", "email": f"p{number}@partner.example"}
                for number in range(recipients)
            ],
            "share": [
                {
                    "name": f"share_{number}",
                    "comment": f"Share {number}",
                    "recipients": [f"partner-{number % recipients}"],
                    "data_objects": [f"bench.s{number}.t_{position}" for position in range(10)],
                }
                for number in range(rows - recipients)
            ],
        }
    )
    return to_workbook(document, explained=False)


class Excel:
    def __init__(self, task: Task) -> None:
        self._rows = task.rows
        self._bytes = workbook(task.rows)
        self._bare: list[float] = []

    async def prepare(self) -> None:
        """The bare parse goes before each run, so that both meet the same neighbours on the machine."""
        self._bare.append(self._bare_parse())

    async def run(self) -> None:
        desired = read_packs(
            {_PATH: self._bytes}, Revision(), "https://adb-1.1.azuredatabricks.net", packs_folder="sharepacks"
        )
        found = [len(pack.resources) for pack in desired.packs.values()]
        if desired.problems or found != [self._rows]:
            raise AssertionError(f"{found} resources are valid; {desired.problems[:3]}")

    async def elsewhere(self) -> Elsewhere:
        return Elsewhere()

    async def close(self) -> None: ...

    def yardsticks(self) -> dict[str, float]:
        return {"limit": median(self._bare)}

    def _bare_parse(self) -> float:
        start = time.perf_counter()
        book = load_workbook(io.BytesIO(self._bytes), read_only=True, data_only=True)
        cells = sum(len(row) for sheet in book.worksheets for row in sheet.iter_rows(values_only=True))
        book.close()
        assert cells > self._rows
        return time.perf_counter() - start
