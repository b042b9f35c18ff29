"""Pack files out of Git: at a commit, or as they lie in the working tree. Reads only; never fetches, never writes."""

from reconciler.adapters.git.folder import FolderPackSource
from reconciler.adapters.git.source import GitPackSource, pack_source

__all__ = ["FolderPackSource", "GitPackSource", "pack_source"]
