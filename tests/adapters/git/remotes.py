"""A bare repository that people push to, and remotes that refuse, hang or ask."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.adapters.git.conftest import PACK, Clone
from tests.repositories import begin


@dataclass(frozen=True)
class Server:
    """A bare repository, and the clone of somebody who pushes to it."""

    bare: Clone
    author: Clone

    @property
    def url(self) -> str:
        return self.bare.root.as_uri()

    def push(self, content: str, *options: str, branch: str = "main") -> str:
        self.author.write(PACK, content)
        commit = self.author.commit(content)
        self.author.git("push", "--quiet", *options, "origin", f"HEAD:refs/heads/{branch}")
        return commit

    def clone(self, name: str, *options: str) -> Clone:
        return self.bare.clone(name, *options)


def serve(folder: Path) -> Server:
    """With one commit on `main`."""
    server = Server(Clone(folder / "server.git"), Clone(folder / "author"))

    def make() -> None:
        server.bare.root.mkdir()
        server.bare.git("init", "--quiet", "--bare")
        server.author.root.mkdir()
        server.author.git("init", "--quiet")
        server.author.git("remote", "add", "origin", server.url)
        server.push("first")

    begin(folder, ["server.git", "author"], "a server", make)
    return server


def cloned(server: Server, name: str) -> Clone:
    """A clone of one that nobody has pushed to since."""
    folder = server.bare.root.parent
    begin(folder, [name], ("a clone", name), lambda: server.clone(name))
    return Clone(folder / name)


@contextmanager
def http_answering(status: int) -> Iterator[str]:
    """host:port of a server that answers everything with one status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the library
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def hanging() -> Iterator[str]:
    """host:port where connections are taken and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
