"""From the paths a person types to the paths packs are known by: relative to the repository, or to a plain folder."""

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.cli.terminal import Failure


def source_root(folder: Path) -> Path:
    """What the paths of packs in `folder` are relative to."""
    absolute = folder.resolve()
    return next((place for place in (absolute, *absolute.parents) if (place / ".git").exists()), absolute)


def source_paths(typed: Iterable[str], folder: Path) -> tuple[str, ...]:
    """Raises Failure for a path that lies elsewhere. It need not exist: Git may have removed it."""
    root = source_root(folder)
    return tuple(_relative(path, folder, root) for path in typed)


def _relative(typed: str, folder: Path, root: Path) -> str:
    here = Path(os.path.abspath(typed))  # noqa: PTH100 - resolve() would follow the link that the last part may be
    place = here if here.exists() or not (folder / typed).exists() else (folder / typed).absolute()
    try:
        return (place.parent.resolve() / place.name).relative_to(root).as_posix()
    except ValueError:
        raise Failure(f"{typed} is not in {root}, where the packs are; name a file or folder of it") from None
