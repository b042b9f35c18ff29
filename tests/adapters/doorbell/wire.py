"""A line to a server that a test can cut, freeze and mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit


@dataclass(slots=True)
class Wire:
    """Forwards connections to 127.0.0.1:`port` to a PostgreSQL server, over its socket file or TCP."""

    dsn: str
    port: int = 0
    #: Notifications do not get through, as with a pooler that lends a connection for one statement only.
    swallows_notifications: bool = False
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _lines: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def through(self) -> str:
        """The connection string through this wire."""
        parts = urlsplit(self.dsn)
        return f"postgresql://{parts.username or 'postgres'}@127.0.0.1:{self.port}{parts.path}?sslmode=disable"

    async def mend(self) -> None:
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Connections end, and new ones are refused."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def freeze(self) -> None:
        """Connections stay, and nothing passes."""
        self._flows.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        ends = [writer]
        try:
            server_reader, server_writer = await self._dial()
            ends.append(server_writer)
            pumps = (self._pump(reader, server_writer), self._pump_answers(server_reader, writer))
            await asyncio.wait([asyncio.ensure_future(pump) for pump in pumps], return_when=asyncio.FIRST_COMPLETED)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._lines.discard(task)
            for end in ends:
                end.transport.abort()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.dsn)
        query = parse_qs(parts.query)
        host = parts.hostname or query.get("host", ["127.0.0.1"])[0]
        port = parts.port or int(query.get("port", ["5432"])[0])
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                await self._flows.wait()
                sink.write(data)
                await sink.drain()

    async def _pump_answers(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Message by message: a letter, four bytes that say how long it is with them, and the rest."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await source.readexactly(5)
                rest = await source.readexactly(int.from_bytes(head[1:]) - 4)
                await self._flows.wait()
                if not (self.swallows_notifications and head[:1] == b"A"):
                    sink.write(head + rest)
                    await sink.drain()


@asynccontextmanager
async def wired(dsn: str) -> AsyncIterator[Wire]:
    wire = Wire(dsn)
    await wire.mend()
    try:
        yield wire
    finally:
        await wire.cut()
