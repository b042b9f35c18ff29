"""Pages under the addresses they were made for, with the headers they are served with, and nothing behind them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from reconciler.http.pages.assets import ICON, SCRIPT, STYLE
from reconciler.http.pages.frame import POLICY


@contextmanager
def served(pages: Mapping[str, str]) -> Iterator[str]:
    """The address of a server of this machine that has these pages by path, and the assets."""
    found = {path: (html.encode(), "text/html; charset=utf-8") for path, html in pages.items()}
    found |= {asset.path: (asset.content, asset.media_type) for asset in (STYLE, SCRIPT, ICON)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content, media_type = found.get(self.path.partition("?")[0], (b"", ""))
            self.send_response(200 if media_type else 404)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
