"""Pack files out of Git: at a commit, or as they lie in the working tree. Of the remote it fetches branches; only
`storing` writes: commits, to the branch that the packs are read from."""

from reconciler.adapters.git.folder import FolderPackSource
from reconciler.adapters.git.source import GitPackSource, pack_source

__all__ = ["FolderPackSource", "GitPackSource", "pack_source"]
