"""The OpenAPI document, held against the running server by Schemathesis: no 5xx, and every answer as declared."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings

from tests.drawing import examples
from tests.http.api import Api, served
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES

#: What they take cannot all be said in a schema: packs, days of the past, the cursor of a page.
PICKY = {"POST /workflow/sharepack/upload", "GET /workflow/access", "GET /workflow/sharepacks"}
OPERATIONS = [
    "GET /workflow/access",
    "GET /workflow/events",
    "GET /workflow/health",
    "GET /workflow/projects",
    "GET /workflow/projects/{project_id}/history",
    "GET /workflow/sharepack/{share_pack_id}",
    "GET /workflow/sharepack/{share_pack_id}/history",
    "GET /workflow/sharepack/{share_pack_id}/plan",
    "GET /workflow/sharepacks",
    "GET /workflow/tenants",
    "GET /workflow/tenants/{tenant_id}/history",
    "POST /workflow/sharepack/upload",
]


@pytest_asyncio.fixture
async def lasting_api(journey: Journey) -> AsyncIterator[Api]:
    """Nobody asks too often, and no stream lasts."""
    journey.commit("Nothing")
    async with served(
        journey, change=lambda parts: replace(parts, longest_stream=0.05), api_rate_per_minute=100_000
    ) as api:
        await api.let_in()
        assert (await api.upload(SALES)).status == 202
        yield api


def operations(api: Api, mode: str) -> dict[str, Any]:
    import schemathesis  # noqa: PLC0415 - half a second that processes of other tests need not wait for

    schema = schemathesis.openapi.from_url(f"{api.url}/openapi.json")
    # That an address has no NUL characters goes without saying in a schema.
    schema.config.generation.update(allow_x00=mode == "negative")
    found = (cast("Any", each).ok() for each in schema.get_all_operations())
    return {f"{each.method.upper()} {each.path}": each for each in found}


def hold(operation: Any, mode: str, headers: dict[str, str]) -> None:
    """Raises what Schemathesis finds."""
    from schemathesis.generation import GenerationMode  # noqa: PLC0415 - as above
    from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: PLC0415 - as above

    is_picky = f"{operation.method.upper()} {operation.path}" in PICKY

    @settings(
        max_examples=examples(5, 100),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    def check(case: Any) -> None:
        excluded = [positive_data_acceptance] if is_picky else []
        case.call_and_validate(headers=headers, excluded_checks=excluded, timeout=10)

    check()


@pytest.mark.parametrize("mode", ["positive", "negative"])
async def test_every_answer_is_as_declared(lasting_api: Api, mode: str) -> None:
    found = await asyncio.to_thread(operations, lasting_api, mode)
    assert sorted(found) == OPERATIONS
    for operation in found.values():
        await asyncio.to_thread(hold, operation, mode, lasting_api.headers)
