"""Databricks through its SDK. Importing this package does not import the SDK (0.3 s); the first question does.

`platform` (async, the port) → `workspace` (one workspace, in a thread) → `reading`, `performing`, `data_objects`,
`catalog_reading`, `failures` → `connection` (signed in, tamed) → `client`. `catalog` decides what is asked of the
catalog, and how often; `sdk` what of the SDK is imported, and `unmade` when its dataclasses are made. No SDK object
leaves `workspace`, and neither does a secret, except the activation link that was asked for.
"""

from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.adapters.databricks.sdk import importable

__all__ = ["DatabricksPlatform"]

# Before any module of this package imports some of the SDK.
importable()
