"""A lock file (flock) shared between processes. What holding it means is decided by those who hold it."""

import fcntl
import os
from pathlib import Path


class Lock:
    """An open lock file. Given up when every process that has it open has closed it or ended, killed or not."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> "Lock":
        return cls(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))

    def share(self) -> None:
        """Waits while another process holds it alone."""
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def take(self) -> bool:
        """Gives up a share in any case, and returns whether it now holds the lock alone."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """On behalf of all that inherited the descriptor, too; `close` alone leaves it to them."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self.descriptor)

    def write_pid(self) -> None:
        os.pwrite(self.descriptor, str(os.getpid()).encode(), 0)

    def erase_pid(self) -> None:
        os.ftruncate(self.descriptor, 0)

    def pid(self) -> int | None:
        written = os.pread(self.descriptor, 20, 0)
        return int(written) if written else None
