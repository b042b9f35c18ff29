"""Databricks through its SDK. Importing this package does not import the SDK (2 s); the first question does.

`platform` (async, the port) → `workspace` (one workspace, in a thread) → `reading`, `performing`, `data_objects`,
`catalog_reading`, `failures` → `connection` (the SDK's client, tamed). `catalog` decides what is asked of the catalog,
and how often. No SDK object leaves `workspace`, and neither does a secret, except the activation link that was asked
for.
"""

from reconciler.adapters.databricks.platform import DatabricksPlatform

__all__ = ["DatabricksPlatform"]
