"""A server on this machine that answers as public ones do, at their best and at their worst."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MODIFIED = formatdate(1_700_000_000, usegmt=True)


@dataclass
class Answer:
    """What the server has at one path.

    `statuses` are given first, one a request, each with its headers; `cuts` are bytes after which one request each
    breaks off; `length` is what it says in place of the true one, and `pause` the seconds before each piece.
    """

    content: bytes = b""
    etag: str = '"one"'
    modified: str = MODIFIED
    has_ranges: bool = True
    is_chunked: bool = False
    length: int | None = None
    pause: float = 0.0
    type: str = "text/csv"
    encoding: str = ""
    location: str = ""
    statuses: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)


@dataclass
class Asked:
    """One request, as it came."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


class PublicServer(ThreadingHTTPServer):
    """Answers by path, and keeps every request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def has(self, path: str, content: bytes | str = b"", **said) -> Answer:
        raw = content.encode() if isinstance(content, str) else content
        self.answers[path] = Answer(raw, **said)
        return self.answers[path]

    def handle_error(self, request, client_address) -> None:
        """Say nothing where a client has gone."""


@contextmanager
def public_server() -> Iterator[PublicServer]:
    server = PublicServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *said) -> None:
        """Say nothing on standard error."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append(Asked(parts.path, parse_qs(parts.query), dict(self.headers)))
        answer = self.server.answers.get(parts.path)
        if answer is None:
            self._send(404, {"Content-Type": "text/html"}, b"<html><title>Not found</title></html>")
        elif answer.statuses:
            status, headers = answer.statuses.pop(0)
            self._send(status, headers, b"<html><title>Busy</title></html>")
        elif answer.location:
            self._send(302, {"Location": answer.location}, b"")
        else:
            self._file(answer)

    def _file(self, answer: Answer) -> None:
        headers = {"Content-Type": answer.type}
        named = {"ETag": answer.etag, "Last-Modified": answer.modified, "Content-Encoding": answer.encoding}
        headers |= {name: value for name, value in named.items() if value}
        wished = self.headers.get("Range")
        if answer.etag and self.headers.get("If-None-Match") == answer.etag:
            return self._send(304, headers, b"")
        if not answer.etag and answer.modified and self.headers.get("If-Modified-Since") == answer.modified:
            return self._send(304, headers, b"")
        if wished and answer.has_ranges and self.headers.get("If-Range") in (answer.etag, answer.modified):
            begin = int(wished.removeprefix("bytes=").rstrip("-"))
            if begin >= len(answer.content):
                return self._send(416, {"Content-Range": f"bytes */{len(answer.content)}"}, b"")
            span = f"bytes {begin}-{len(answer.content) - 1}/{len(answer.content)}"
            return self._send(206, headers | {"Content-Range": span}, answer.content[begin:], answer)
        return self._send(200, headers, answer.content, answer)

    def _send(self, status: int, headers: dict[str, str], body: bytes, answer: Answer | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        is_chunked = answer is not None and answer.is_chunked
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            said = answer.length if answer is not None and answer.length is not None else len(body)
            self.send_header("Content-Length", str(said))
        self.end_headers()
        cut = answer.cuts.pop(0) if answer is not None and answer.cuts else None
        for piece in _pieces(body if cut is None else body[:cut], answer):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            self.wfile.flush()
        if is_chunked and cut is None:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True


def _pieces(body: bytes, answer: Answer | None) -> Iterator[bytes]:
    size = 4096 if answer is not None and answer.pause else 1 << 20
    for begin in range(0, len(body), size):
        if answer is not None and answer.pause:
            time.sleep(answer.pause)
        yield body[begin : begin + size]


def packed(content: bytes) -> bytes:
    """Return a content compressed, the same bytes each time."""
    return gzip.compress(content, mtime=0)
