"""One file over the network: asked for again where that may help, gone on with where it broke off, or a reason why not.

`requests` sends the requests, `urllib3` below it reads the bytes as they were sent, and `tenacity` says when to ask
again. Nothing is asked of the network but the file.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
import tenacity
import urllib3

from evalkit import __version__
from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.core.words import cleaned
from evalkit.run.fetch.addresses import is_here, required_url
from evalkit.run.fetch.part import Origin, Part

AGENT: Final = f"evalkit/{__version__}"
_PIECE: Final = 1 << 16
_MOST_SHORT: Final = 1 << 20
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_ENCODINGS: Final = ("", "identity", "gzip", "x-gzip")
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long is waited, how often is asked, and how much is taken; seconds and bytes.

    A server that lets a file break off is asked again as long as each try brings more of it; `attempts` in a row that
    bring nothing end it, and so do `same_breaks` after the very same byte: the server is wrong about the file's size.
    """

    attempts: int = 5
    most_attempts: int = 100
    same_breaks: int = 3
    first_wait: float = 1.0
    longest_wait: float = 30.0
    longest_asked: float = 60.0
    connect: float = 15.0
    silence: float = 60.0
    slow_after: float = 120.0
    slowest: float = 100.0
    redirects: int = 5
    most_bytes: int = 8_000_000_000


class Passing(Exception):
    """Something that may have passed when the same is asked again, after `wait` seconds where the server says so.

    `at` is the byte after which a file broke off.
    """

    def __init__(self, why: str, wait: float | None = None, at: int | None = None) -> None:
        super().__init__(why)
        self.wait, self.at = wait, at


class Unreachable(InputError):
    """The server cannot be reached at all, so that no other file of it can be had either."""

    may_pass = True
    """Whether it is asked again where a part of the file has come already."""


class Untrusted(Unreachable):
    """The server does not prove who it is."""

    may_pass = False


class NotThere(InputError):
    """The server has no such file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a file at hand was, when it was fetched, in the server's words."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a transfer is done with: limits, what is told to the user, and how time passes."""

    limits: Limits = Limits()
    say: Callable[[str], None] = lambda _: None
    show: Callable[[int, int | None], None] = lambda _, __: None
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


def download(url: str, part: Part, held: Held, tools: Tools) -> Origin | None:
    """Put the file at an address into its part, whole; return what the server said of it, None where it is unchanged.

    Raises
    ------
    Unreachable
        Where the server cannot be reached, at once.
    NotThere
        Where it has no such file (404, 410).
    InputError
        For any other answer that is no file, and where asking again has not helped; what came stays, if it can be gone
        on with.
    EnvironmentFault
        Where the file is larger than the disk has room for.
    """
    retrying = _retrying(_Stalled(part, tools.limits), tools)
    host = urlsplit(url).hostname or ""
    try:
        with _session(url) as session:
            return retrying(_attempt, session, url, part, held, tools)
    except Passing as problem:
        is_kept = part.origin(url) is not None
        kept = f" {part.size():,} bytes are kept, for the same command to go on from if it can." if is_kept else ""
        raise InputError(f"{host}: {problem}. It was asked several times.{kept} Try again later.") from None


def answer_of(url: str, tools: Tools) -> bytes | None:
    """Return a short answer, such as a description in JSON; None where the server has none or a long one.

    Raise as `download` does where the server cannot be reached or asking again does not help.
    """
    retrying = _retrying(tenacity.stop_after_attempt(tools.limits.attempts), tools)
    try:
        with _session(url) as session:
            return retrying(_short, session, url, tools.limits)
    except Passing as problem:
        raise InputError(f"{problem}. It was asked several times. Try again later.") from None


def _short(session: requests.Session, url: str, limits: Limits) -> bytes | None:
    with _opened(session, url, {}, limits) as response:
        try:
            _require_file(response)
            content = response.raw.read(_MOST_SHORT + 1, decode_content=True)
        except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError):
            raise Passing(f"{urlsplit(url).hostname} broke off") from None
        except InputError:
            return None
    return content if len(content) <= _MOST_SHORT else None


# When to ask again.


def _retrying(stop: Callable[[tenacity.RetryCallState], bool], tools: Tools) -> tenacity.Retrying:
    """Return what calls a function again after each `Passing` until `stop` says so, and then raises the last one."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Passing),
        stop=stop,
        wait=_wait(tools.limits),
        sleep=tools.sleep,
        before_sleep=_told(tools),
        reraise=True,
    )


def _passing(state: tenacity.RetryCallState) -> Passing | None:
    """Return what the last try ended with, None where it was something that will not pass."""
    problem = state.outcome.exception() if state.outcome else None
    return problem if isinstance(problem, Passing) else None


class _Stalled:
    """Stops once several tries in a row have brought nothing of the file, or broke off after the very same byte."""

    def __init__(self, part: Part, limits: Limits) -> None:
        self._part, self._limits, self._most, self._idle = part, limits, part.size(), 0
        self._breaks: list[int] = []

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        problem = _passing(state)
        at = problem.at if problem else None
        self._breaks += [at] if at else []
        if at and self._breaks.count(at) >= self._limits.same_breaks:
            return True
        has_more = self._part.size() > self._most
        self._most = max(self._most, self._part.size())
        self._idle = 0 if has_more else self._idle + 1
        return self._idle >= self._limits.attempts or state.attempt_number >= self._limits.most_attempts


def _wait(limits: Limits) -> Callable[[tenacity.RetryCallState], float]:
    back_off = tenacity.wait_exponential_jitter(initial=limits.first_wait, max=limits.longest_wait, jitter=0)

    def wait(state: tenacity.RetryCallState) -> float:
        problem = _passing(state)
        asked = problem.wait if problem else None
        jitter = random.uniform(0, limits.first_wait)  # not all who were turned away come back at once
        own = back_off(state) + jitter
        return own if asked is None else max(min(asked, limits.longest_asked), own if asked <= 0 else 0.0)

    return wait


def _told(tools: Tools) -> Callable[[tenacity.RetryCallState], None]:
    def told(state: tenacity.RetryCallState) -> None:
        problem = _passing(state)
        asked = problem.wait if problem else None
        wish = f" (the server asks for {asked:.0f})" if asked and asked > tools.limits.longest_asked else ""
        tools.say(f"{problem}; asked again in {state.upcoming_sleep:.0f} s{wish}")

    return told


def retry_after(text: str, date: str) -> float | None:
    """Return the seconds that a server asks to wait, as a number or until a day and time by its own clock (`date`).

    >>> retry_after("7", ""), retry_after("Mon, 30 Nov 2026 10:00:05 GMT", "Mon, 30 Nov 2026 10:00:00 GMT")
    (7.0, 5.0)
    """
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    until, now = _moment(text), _moment(date) or datetime.now(UTC)
    return None if until is None else max(0.0, (until - now).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# One request and its answer.


def _session(url: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = not is_here(url)  # a proxy cannot reach this machine
    session.auth = _no_password
    session.headers.update({"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"})
    return session


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no password: without this, one that a file `.netrc` holds for the server would be."""
    return request


def _attempt(session: requests.Session, url: str, part: Part, held: Held, tools: Tools) -> Origin | None:
    origin = part.origin(url)
    have = part.size() if origin and origin.validator else 0
    if origin and have and origin.total == have:
        return origin  # whole already, and stopped before it got its name
    with _reopened(session, url, _conditions(origin, have, held), tools.limits, bool(have)) as response:
        if response.status_code == 304 and not have and (held.etag or held.last_modified):
            return None
        if response.status_code == 206 and origin and _is_rest(response, origin, have):
            _take(response, part, tools, have, origin.total)
            return origin
        if response.status_code in (206, 416):
            part.discard()
            raise Passing("the rest of the file cannot be had, so it is fetched from its beginning", 0.0)
        _require_file(response)
        if have:
            tools.say("the file has changed, or the server cannot go on in its middle: fetched from its beginning")
        origin = _origin(url, response)
        if held.etag and origin.etag == held.etag and not have:
            return None
        if origin.encoding not in _ENCODINGS:
            raise InputError(f"{urlsplit(url).hostname} sends the file packed as '{origin.encoding}', unasked.")
        _require_room(origin, part, tools.limits)
        part.begin(origin)
        _take(response, part, tools, 0, origin.total)
        return origin


def _reopened(
    session: requests.Session, url: str, headers: dict[str, str], limits: Limits, has_part: bool
) -> requests.Response:
    """Return the answer; a server that is gone in the middle of a file may be back when it is asked again."""
    try:
        return _opened(session, url, headers, limits)
    except Unreachable as problem:
        if has_part and problem.may_pass:
            raise Passing(str(problem).removesuffix(".")) from None
        raise


def _conditions(origin: Origin | None, have: int, held: Held) -> dict[str, str]:
    """Return the headers that ask for the rest of a file, or for the whole of it if it has changed."""
    if origin and have:
        return {"Range": f"bytes={have}-", "If-Range": origin.validator}
    if held.etag:
        return {"If-None-Match": held.etag}
    return {"If-Modified-Since": held.last_modified} if held.last_modified else {}


def _opened(session: requests.Session, url: str, headers: dict[str, str], limits: Limits) -> requests.Response:
    """Return the answer, redirects followed; raise for one that cannot be followed and for a server not reached."""
    place = url
    for _ in range(limits.redirects + 1):
        response = _asked(session, place, headers, limits)
        if response.status_code not in _REDIRECTS or "Location" not in response.headers:
            return response
        response.close()
        place = _redirected(url, place, response.headers["Location"])
    raise InputError(f"{urlsplit(url).hostname}: more than {limits.redirects} redirects, one after the other.")


def _redirected(first: str, place: str, location: str) -> str:
    """Return where a redirect leads; raise `InputError` where it must not be followed."""
    target = urljoin(place, location.encode("latin-1").decode("utf-8", "replace"))
    required_url(target, f"{urlsplit(place).hostname} redirects")
    if is_here(target) and not is_here(first):
        raise InputError(f"{urlsplit(place).hostname} redirects to this very machine, which is refused.")
    if urlsplit(place).scheme == "https" and urlsplit(target).scheme == "http" and not is_here(target):
        raise InputError(f"{urlsplit(place).hostname} redirects from https to http ({target[:120]}), which is refused.")
    return target


def _asked(session: requests.Session, url: str, headers: dict[str, str], limits: Limits) -> requests.Response:
    host = urlsplit(url).hostname or ""
    session.close()  # a connection kept open is one that the server may have closed meanwhile
    try:
        return session.get(
            url, headers=headers, stream=True, allow_redirects=False, timeout=(limits.connect, limits.silence)
        )
    except requests.exceptions.ProxyError:
        raise Unreachable(
            f"{host}: the proxy that this machine is set to use (HTTPS_PROXY) does not let the request through. Is it "
            "the right one, and does it know you?"
        ) from None
    except requests.exceptions.SSLError:
        raise Untrusted(
            f"{host}: the server's certificate is not one that this machine trusts, so nothing was taken from it."
        ) from None
    except requests.exceptions.ConnectTimeout:
        raise Unreachable(f"{host}: no connection within {limits.connect:.0f} s. Is this machine offline?") from None
    except requests.exceptions.Timeout:
        raise Passing(f"{host} did not answer in time") from None
    except requests.exceptions.ConnectionError as problem:
        raise _unreached(host, problem) from None
    except (requests.exceptions.RequestException, ValueError) as problem:
        raise InputError(f"{host}: the request cannot be made ({type(problem).__name__}).") from None


def _unreached(host: str, problem: BaseException) -> Exception:
    causes = list(_causes(problem))
    if any(isinstance(one, urllib3.exceptions.NameResolutionError) for one in causes):
        return Unreachable(f"{host}: the name is not known here. Is this machine offline, or behind a proxy?")
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        return Unreachable(f"{host}: the connection was refused. Is the address right, and does the server run?")
    if any(isinstance(one, urllib3.exceptions.NewConnectionError) for one in causes):
        return Unreachable(f"{host}: the server cannot be reached. Is this machine offline, or behind a proxy?")
    return Passing(f"{host} broke the connection off")


def _causes(problem: BaseException) -> list[BaseException]:
    """Return an error with all that it was made of, each once."""
    found: list[BaseException] = []
    waiting: list[Any] = [problem]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found


def _require_file(response: requests.Response) -> None:
    """Raise for an answer that is no file."""
    code, host = response.status_code, urlsplit(response.url).hostname
    if code == 429 or code >= 500:
        wish = retry_after(response.headers.get("Retry-After", ""), response.headers.get("Date", ""))
        said = "is asked too often" if code == 429 else "cannot answer just now"
        raise Passing(f"{host} {said} ({code})", wish)
    if code in (404, 410):
        raise NotThere(f"{host} has no such file ({code}): {response.url[:300]}")
    if code in (401, 403, 407):
        raise InputError(f"{host} does not give this file to everybody ({code}): {response.url[:300]}")
    if code != 200:
        raise InputError(f"{host} answers with {code} instead of a file: {response.url[:300]}")


def _origin(url: str, response: requests.Response) -> Origin:
    length = response.headers.get("Content-Length", "").strip()
    return Origin(
        url=url,
        etag=cleaned(response.headers.get("ETag", ""))[:300],
        last_modified=cleaned(response.headers.get("Last-Modified", ""))[:100],
        encoding=response.headers.get("Content-Encoding", "").strip().lower(),
        total=int(length) if length.isascii() and length.isdigit() else None,
    )


def _is_rest(response: requests.Response, origin: Origin, have: int) -> bool:
    """Return whether an answer is the rest of the very file whose beginning is at hand."""
    span = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if span is None or int(span[1]) != have:
        return False
    is_same = response.headers.get("ETag", origin.etag) == origin.etag
    return is_same and (origin.total is None or span[3] == "*" or int(span[3]) == origin.total)


def _require_room(origin: Origin, part: Part, limits: Limits) -> None:
    if origin.total is not None and origin.total > limits.most_bytes:
        raise InputError(
            f"{part.target.name}: the file has {origin.total:,} bytes; at most {limits.most_bytes:,} are taken."
        )
    if origin.total is not None and origin.total > shutil.disk_usage(part.target.parent).free + part.size():
        raise EnvironmentFault(
            f"{part.target.name}: the file has {origin.total:,} bytes, and {part.target.parent} has no room for it. "
            "Make room, or give another folder with --out."
        )


def _take(response: requests.Response, part: Part, tools: Tools, have: int, total: int | None) -> None:
    """Put what a server sends behind what has come; raise `Passing` where it breaks off."""
    limits, began, got = tools.limits, tools.now(), have
    with part.path.open("ab") as file:
        try:
            while piece := response.raw.read1(_PIECE, decode_content=False):
                got += len(piece)
                if got > limits.most_bytes or (total is not None and got > total):
                    raise InputError(f"{part.target.name}: the server sends more than it said, or more than is taken.")
                file.write(piece)
                tools.show(got, total)
                _require_pace(part, got - have, tools.now() - began, limits)
        except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as problem:
            is_slow = isinstance(problem, (urllib3.exceptions.TimeoutError, TimeoutError))
            why = f"the server {'went silent' if is_slow else 'broke off'} after {_of(got, total)}"
            raise Passing(why, at=got) from None
        file.flush()
        os.fsync(file.fileno())
    if total is not None and got != total:
        raise Passing(f"the server broke off after {_of(got, total)}", at=got)


def _require_pace(part: Part, n_bytes: int, seconds: float, limits: Limits) -> None:
    if seconds > limits.slow_after and n_bytes < seconds * limits.slowest:
        raise InputError(
            f"{part.target.name}: the server sends less than {limits.slowest:.0f} bytes a second. What came is kept. "
            "The same command goes on from there: try again later."
        )


def _of(got: int, total: int | None) -> str:
    return f"{got:,} bytes" if total is None else f"{got:,} of {total:,} bytes"
