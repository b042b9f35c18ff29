"""The two queues a run may use, and what may happen to their messages and to themselves."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

import asyncpg
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueServiceClient

from reconciler.adapters.azure_queue.client import API_VERSION
from tests.azurite import Azurite

_NAME = "sharepack-processing"


class Queue(Protocol):
    @property
    def environment(self) -> Mapping[str, str]:
        """What the product is told of it."""

    def drop(self, chance: Random) -> str: ...

    def double(self, chance: Random) -> str: ...

    def restart(self) -> str: ...

    def texts(self) -> Sequence[str]:
        """Of the messages that can be seen, also of those that were parked."""

    def close(self) -> None: ...


@dataclass(slots=True)
class Notifications:
    """PostgreSQL's own."""

    dsn: str

    @property
    def environment(self) -> Mapping[str, str]:
        return {}

    def drop(self, chance: Random) -> str:
        """Who listens is cut off, and hears nothing until it is connected again."""
        return self._do(
            """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"""
        )

    def double(self, chance: Random) -> str:
        """Rings for work of any age, and for none."""
        return self._do(
            f"""SELECT count(pg_notify('reconciler_work', id::text)) FROM (
                SELECT work_id FROM reconciler.work ORDER BY random() LIMIT {chance.randint(1, 5)}
            ) AS w(id), generate_series(1, 3);
            SELECT pg_notify('reconciler_work', 'no id')"""
        )

    def restart(self) -> str:
        """It restarts with the database."""
        return ""

    def texts(self) -> Sequence[str]:
        return ()

    def close(self) -> None:
        pass

    def _do(self, statement: str) -> str:
        async def do() -> None:
            connection = await asyncpg.connect(self.dsn, timeout=5)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        try:
            asyncio.run(do())
        except (OSError, asyncpg.PostgresError):
            return ""
        return "done"


@dataclass(slots=True)
class AzureQueue:
    azurite: Azurite
    _service: Any = field(default=None, repr=False)

    @classmethod
    def start(cls, folder: Path) -> "AzureQueue":
        azurite = Azurite(folder)
        azurite.start()
        options: dict[str, Any] = {
            "api_version": API_VERSION,
            "retry_total": 0,
            "connection_timeout": 2,
            "read_timeout": 2,
        }
        return cls(azurite, QueueServiceClient.from_connection_string(azurite.connection_string, **options))

    @property
    def environment(self) -> Mapping[str, str]:
        return {"AZURE_QUEUE_CONNECTION_STRING": self.azurite.connection_string}

    def drop(self, chance: Random) -> str:
        """Taken from the queue by somebody who forgets them."""
        return self._do(lambda queue: self._take(queue, chance))

    def double(self, chance: Random) -> str:
        """Each message that waits twice more, one that cannot be read, and one about nothing."""
        return self._do(lambda queue: self._add(queue, chance))

    def restart(self) -> str:
        self.azurite.stop()
        time.sleep(0.5)
        self.azurite.start()
        return "done"

    def texts(self) -> Sequence[str]:
        queues = (self._service.get_queue_client(name) for name in (_NAME, f"{_NAME}-poison"))
        return [str(message.content) for queue in queues for message in queue.peek_messages(max_messages=32)]

    def close(self) -> None:
        self._service.close()
        self.azurite.kill()

    def _take(self, queue: Any, chance: Random) -> int:
        page = next(iter(queue.receive_messages(messages_per_page=chance.randint(1, 10)).by_page()), ())
        taken = 0
        for message in page:
            queue.delete_message(message)
            taken += 1
        return taken

    def _add(self, queue: Any, chance: Random) -> int:
        texts = [message.content for message in queue.peek_messages(max_messages=10)] * 2
        nothing = f'{{"v":1,"work_id":"00000000-0000-4000-8000-{chance.randrange(16**12):012x}"}}'
        for text in (*texts, chance.choice(("no JSON", nothing))):
            queue.send_message(text)
        return len(texts) + 1

    def _do(self, deed: Any) -> str:
        try:
            return str(deed(self._service.get_queue_client(_NAME)))
        except (AzureError, OSError):
            return ""
