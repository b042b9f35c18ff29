"""Journeys of the lessons, on the fixtures of the other journeys, with a database emptied instead of made."""

import pytest

from tests.journeys.conftest import journey, sandbox_url, sdk, workspace

__all__ = ["journey", "sandbox_url", "sdk", "workspace"]


@pytest.fixture
def database_url(migrated_database_url: str) -> str:
    return migrated_database_url
