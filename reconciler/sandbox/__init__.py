"""A local server that speaks the Databricks REST API, so that the real SDK works against it: for trying out and tests.

It is no part of the product: it imports nothing of it and the product imports nothing of it. Delta Sharing is deep,
catalogs are there to be read. See `seed_reader` for what it starts with, `control` for how a test steers it and
`knobs` for the unknowns of the real service.
"""

from reconciler.sandbox.control_client import ControlClient
from reconciler.sandbox.knobs import Knobs
from reconciler.sandbox.seed import Seed, example_text
from reconciler.sandbox.seed_reader import SeedError
from reconciler.sandbox.server import Sandbox

__all__ = ["ControlClient", "Knobs", "Sandbox", "Seed", "SeedError", "example_text"]
