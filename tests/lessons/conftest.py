"""Journeys of the lessons, on the fixtures of the other journeys."""

from tests.journeys.conftest import database_url, journey, sandbox_url, sdk, workspace

__all__ = ["database_url", "journey", "sandbox_url", "sdk", "workspace"]
