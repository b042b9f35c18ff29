"""GitHub's issuer of ID tokens, as a step with `id-token: write` finds it: one URL, one bearer token a job.

https://docs.github.com/actions/reference/security/oidc"""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class IdTokens:
    """Subjects by the bearer tokens of running jobs."""

    def __init__(self, url: str) -> None:
        #: Ends in a query, to which a client adds `&audience=…`.
        self.url = f"{url}/token?api-version=2.0"
        self.subjects: dict[str, str] = {}

    def admit(self, subject: str) -> str:
        bearer = secrets.token_hex(16)
        self.subjects[bearer] = subject
        return bearer


def id_token(subject: str, audience: str, *, seconds: int = 300) -> str:
    """Signed by nobody."""
    claims = {
        "iss": "https://token.actions.githubusercontent.com",
        "sub": subject,
        "aud": audience,
        "exp": int(time.time()) + seconds,
    }
    return ".".join(_part(each) for each in ({"alg": "RS256", "typ": "JWT"}, claims, {}))


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@contextmanager
def issuing() -> Iterator[IdTokens]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            subject = tokens.subjects.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            if subject is None or not query.get("audience"):
                self.send_error(401)
                return
            content = json.dumps({"value": id_token(subject, query["audience"][0])}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        tokens = IdTokens(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, name="id tokens", daemon=True)
        thread.start()
        try:
            yield tokens
        finally:
            server.shutdown()
            thread.join(5)
