"""One file over the network: asked for again where that may help, gone on with where it broke off."""

import socket
from dataclasses import replace

import pytest
import requests
import urllib3

from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.run.fetch import transfer
from evalkit.run.fetch.part import Origin, Part
from evalkit.run.fetch.transfer import (
    AGENT,
    Held,
    Limits,
    NotThere,
    Passing,
    Tools,
    Unreachable,
    Untrusted,
    answer_of,
    download,
    retry_after,
)

CONTENT = b"URN,LEA\n" + b"".join(b"%06d,340\n" % i for i in range(2_000))
NOTHING = Held()


@pytest.fixture
def part(tmp_path):
    return Part(tmp_path / "a.csv")


def test_a_file_comes_as_it_is_and_the_request_names_the_kit(server, part, tools):
    server.has("/a.csv", CONTENT)
    origin = download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT
    assert (origin.etag, origin.total) == ('"one"', len(CONTENT))
    [asked] = server.asked
    assert asked.headers["User-Agent"] == AGENT
    assert {"Authorization", "Cookie", "Referer"} & set(asked.headers) == set()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again_after_longer_and_longer_waits(server, part, tools, slept, status):
    server.has("/a.csv", CONTENT, statuses=[(status, {})] * 3)
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT
    assert [base <= wait <= base + 1 for base, wait in zip([1, 2, 4], slept, strict=True)] == [True] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_what_will_not_pass_is_not(server, part, tools, slept, status):
    server.has("/a.csv", CONTENT, statuses=[(status, {})])
    with pytest.raises(InputError, match=str(status)) as refused:
        download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert isinstance(refused.value, NotThere) is (status in (404, 410))
    assert (slept, len(server.asked), part.size()) == ([], 1, 0)


def test_the_wait_that_a_server_asks_for_is_kept_up_to_a_limit(server, part, tools, slept, said):
    date = {"Date": "Mon, 30 Nov 2026 10:00:00 GMT", "Retry-After": "Mon, 30 Nov 2026 10:00:20 GMT"}
    waits = [(429, {"Retry-After": "7"}), (503, date), (429, {"Retry-After": "86400"}), (503, {"Retry-After": "soon"})]
    server.has("/a.csv", CONTENT, statuses=waits)
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert slept[0] == 7
    assert slept[2] == 60
    assert "asks for 86400" in said[2]
    assert 8 <= slept[3] <= 9


@pytest.mark.parametrize(
    ("text", "date", "seconds"),
    [
        ("0", "", 0),
        (" 12 ", "", 12),
        ("Mon, 30 Nov 2026 10:00:05 GMT", "Mon, 30 Nov 2026 10:00:00 GMT", 5),
        ("Mon, 30 Nov 2026 09:00:00 GMT", "Mon, 30 Nov 2026 10:00:00 GMT", 0),
        ("Mon, 30 Nov 1926 09:00:00 GMT", "", 0),
        ("-3", "", None),
        ("9" * 400, "", 999_999_999),
        ("", "", None),
    ],
)
def test_a_wait_is_read_as_seconds_or_by_the_clock_of_the_server(text, date, seconds):
    assert retry_after(text, date) == seconds


def test_a_server_that_never_can_is_asked_a_few_times_and_told(server, part, tools, slept):
    server.has("/a.csv", CONTENT, statuses=[(503, {})] * 20)
    with pytest.raises(InputError, match=r"cannot answer just now \(503\)\. It was asked several times"):
        download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert (len(server.asked), len(slept)) == (5, 4)


def test_a_file_that_breaks_off_is_gone_on_with(server, part, tools):
    server.has("/a.csv", CONTENT, cuts=[5_000, 6_000])
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT
    assert [one.headers.get("Range") for one in server.asked] == [None, "bytes=5000-", "bytes=11000-"]
    assert {one.headers.get("If-Range") for one in server.asked[1:]} == {'"one"'}


def test_each_try_that_brings_more_is_followed_by_another(server, part, tools, slept):
    server.has("/a.csv", CONTENT, cuts=[1_000] * 12)
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT
    assert len(slept) == 12  # more than the five that may bring nothing


def test_what_came_before_the_kit_was_ended_is_gone_on_with(server, part, tools):
    server.has("/a.csv", CONTENT)
    part.begin(Origin(url=f"{server.base}/a.csv", etag='"one"', total=len(CONTENT)))
    part.path.write_bytes(CONTENT[:9_000])
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT
    assert [one.headers.get("Range") for one in server.asked] == ["bytes=9000-"]


def test_a_part_that_was_whole_already_is_asked_for_no_more(server, part, tools):
    server.has("/a.csv", CONTENT)
    part.begin(Origin(url=f"{server.base}/a.csv", etag='"one"', total=len(CONTENT)))
    part.path.write_bytes(CONTENT)
    assert download(f"{server.base}/a.csv", part, NOTHING, tools).etag == '"one"'
    assert server.asked == []


@pytest.mark.parametrize(
    ("known", "has"),
    [
        ({"etag": '"zero"'}, {}),  # the file has changed since: the server sends all of it
        ({"etag": '"one"'}, {"has_ranges": False}),
        ({"etag": 'W/"one"'}, {"etag": 'W/"one"', "modified": ""}),  # a weak mark does not tell two files apart
        ({}, {"etag": "", "modified": ""}),
    ],
    ids=["changed", "no ranges", "weak", "no mark"],
)
def test_where_the_rest_would_not_fit_the_whole_is_fetched(server, part, tools, known, has):
    server.has("/a.csv", CONTENT, **has)
    part.begin(Origin(url=f"{server.base}/a.csv", total=len(CONTENT), **known))
    part.path.write_bytes(b"x" * 9_000)
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT


def test_a_rest_of_another_file_is_not_put_behind(server, part, tools, monkeypatch):
    """A server that takes no notice of If-Range sends the rest of what it has now."""
    server.has("/a.csv", CONTENT, etag='"two"')
    part.begin(Origin(url=f"{server.base}/a.csv", etag='"one"', total=len(CONTENT)))
    part.path.write_bytes(b"x" * 9_000)
    monkeypatch.setattr(transfer, "_conditions", lambda origin, have, held: _regardless(have))
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT


def _regardless(have):
    return {"Range": f"bytes={have}-", "If-Range": '"two"'} if have else {}


def test_a_part_of_another_address_is_not_gone_on_with(server, part, tools):
    server.has("/a.csv", CONTENT)
    part.begin(Origin(url=f"{server.base}/b.csv", etag='"one"', total=len(CONTENT)))
    part.path.write_bytes(b"x" * 9_000)
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT


def test_more_promised_than_sent_is_told_and_the_part_kept(server, part, tools):
    server.has("/a.csv", CONTENT, length=len(CONTENT) + 100, has_ranges=False)
    with pytest.raises(InputError, match=r"broke off after 22,008 of 22,108 bytes\. .* 22,008 bytes are kept"):
        download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert not part.target.exists()
    assert len(server.asked) == 3  # always after the same byte: it is not asked for all of it again and again


def test_chunks_that_break_off_are_not_a_whole_file(server, part, tools):
    server.has("/a.csv", CONTENT, is_chunked=True, cuts=[5_000])
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_slow_server_is_waited_for_and_a_silent_one_asked_again(server, part, tools, said):
    answer = server.has("/a.csv", CONTENT[:8_000], pause=0.05)
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT[:8_000]
    part.discard()
    answer.pause = 0.3
    brief = replace(tools, limits=Limits(silence=0.1, attempts=2))
    with pytest.raises(InputError, match=r"silent|in time"):
        download(f"{server.base}/a.csv", part, NOTHING, brief)


def test_a_server_that_sends_drop_by_drop_is_given_up(server, part, tools):
    server.has("/a.csv", CONTENT)
    clock = iter(range(0, 10**6, 200))
    slow = replace(tools, limits=Limits(slow_after=1, slowest=10**6, attempts=1), now=lambda: float(next(clock)))
    with pytest.raises(InputError, match="bytes a second"):
        download(f"{server.base}/a.csv", part, NOTHING, slow)


def test_an_unchanged_file_is_not_sent_again(server, part, tools):
    server.has("/a.csv", CONTENT)
    server.has("/b.csv", CONTENT, etag="")
    assert download(f"{server.base}/a.csv", part, Held(etag='"one"'), tools) is None
    modified = server.answers["/b.csv"].modified
    assert download(f"{server.base}/b.csv", part, Held(last_modified=modified), tools) is None
    assert part.size() == 0


def test_a_server_that_says_unchanged_of_what_is_not_there_is_not_believed(server, part, tools):
    server.has("/a.csv", CONTENT, statuses=[(304, {})])
    with pytest.raises(InputError, match="304 instead of a file"):
        download(f"{server.base}/a.csv", part, NOTHING, tools)


def test_a_file_packed_unasked_is_refused(server, part, tools):
    server.has("/a.csv", CONTENT, encoding="br")
    with pytest.raises(InputError, match="packed as 'br', unasked"):
        download(f"{server.base}/a.csv", part, NOTHING, tools)


def test_redirects_are_followed_some_way(server, part, tools):
    server.has("/a.csv", location="/b.csv")
    server.has("/b.csv", location=f"{server.base}/c.csv")
    server.has("/c.csv", CONTENT)
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT
    assert [one.path for one in server.asked] == ["/a.csv", "/b.csv", "/c.csv"]


def test_a_circle_of_redirects_ends(server, part, tools):
    server.has("/a.csv", location="/a.csv")
    with pytest.raises(InputError, match="more than 5 redirects"):
        download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert len(server.asked) == 6


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/a.csv", "file:///etc/passwd", "http://me:secret@127.0.0.1/a"])
def test_a_redirect_to_what_is_no_open_address_is_refused(server, part, tools, location):
    server.has("/a.csv", location=location)
    with pytest.raises(InputError, match=r"no address of the web|name or password"):
        download(f"{server.base}/a.csv", part, NOTHING, tools)


@pytest.mark.parametrize(
    ("place", "location", "why"),
    [
        ("https://a.example/x", "http://a.example/x", "from https to http"),
        ("https://a.example/x", "http://127.0.0.1:8000/x", "this very machine"),
        ("https://a.example/x", "https://localhost/x", "this very machine"),
    ],
)
def test_a_redirect_to_less_than_was_asked_is_refused(place, location, why):
    with pytest.raises(InputError, match=why):
        transfer._redirected(place, place, location)
    assert transfer._redirected(place, place, "/y") == "https://a.example/y"


def test_a_file_larger_than_is_taken_or_than_there_is_room_for_is_refused_at_once(server, part, tools, monkeypatch):
    server.has("/a.csv", CONTENT)
    with pytest.raises(InputError, match="at most 100 are taken"):
        download(f"{server.base}/a.csv", part, NOTHING, replace(tools, limits=Limits(most_bytes=100)))
    server.has("/b.csv", CONTENT, is_chunked=True)
    with pytest.raises(InputError, match="more than is taken"):
        download(f"{server.base}/b.csv", part, NOTHING, replace(tools, limits=Limits(most_bytes=100)))
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    part.discard()
    with pytest.raises(EnvironmentFault, match="no room"):
        download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.size() == 0


# Offline.


def test_a_server_that_does_not_run_is_told_at_once(part, tools, slept):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match="the connection was refused"):
        download(f"http://127.0.0.1:{port}/a.csv", part, NOTHING, tools)
    assert (slept, part.path.exists()) == ([], False)


def _fails(problem):
    def get(self, url, **said):
        raise problem

    return get


NAME = urllib3.exceptions.NameResolutionError("a.example", None, socket.gaierror(-2, "unknown"))


@pytest.mark.parametrize(
    ("problem", "kind", "why"),
    [
        (requests.exceptions.ConnectionError(NAME), Unreachable, "the name is not known here"),
        (requests.exceptions.ProxyError("x"), Unreachable, "proxy"),
        (requests.exceptions.SSLError("x"), Untrusted, "certificate"),
        (requests.exceptions.ConnectTimeout("x"), Unreachable, "no connection within"),
        (requests.exceptions.InvalidHeader("x"), InputError, "cannot be made"),
    ],
    ids=["name", "proxy", "certificate", "timeout", "other"],
)
def test_what_keeps_the_kit_from_a_server_is_told_apart(part, tools, slept, monkeypatch, problem, kind, why):
    monkeypatch.setattr(requests.Session, "get", _fails(problem))
    with pytest.raises(kind, match=why):
        download("https://a.example/a.csv", part, NOTHING, tools)
    assert slept == []


def test_a_server_that_goes_in_the_middle_is_asked_again(server, part, tools, slept, monkeypatch):
    part.begin(Origin(url="https://a.example/a.csv", etag='"one"', total=100))
    part.path.write_bytes(b"URN,LEA\n")
    monkeypatch.setattr(requests.Session, "get", _fails(requests.exceptions.ConnectionError(NAME)))
    with pytest.raises(InputError, match=r"not known here.*8 bytes are kept"):
        download("https://a.example/a.csv", part, NOTHING, tools)
    assert len(slept) == 4
    assert part.path.read_bytes() == b"URN,LEA\n"


def test_a_password_at_hand_for_a_server_is_not_sent(server, part, tools, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("default login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.has("/a.csv", CONTENT)
    monkeypatch.setattr(transfer, "is_here", lambda url: False)  # as if it were a server elsewhere
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert "Authorization" not in server.asked[0].headers


def test_a_proxy_is_not_asked_for_this_machine(server, part, tools, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.has("/a.csv", CONTENT)
    download(f"{server.base}/a.csv", part, NOTHING, tools)
    assert part.path.read_bytes() == CONTENT


def test_a_short_answer_is_read_or_none(server, tools, slept):
    server.has("/a", b'{"a": 1}', statuses=[(503, {})])
    assert answer_of(f"{server.base}/a", tools) == b'{"a": 1}'
    assert answer_of(f"{server.base}/none", tools) is None
    server.has("/long", b"x" * 2_000_000)
    assert answer_of(f"{server.base}/long", tools) is None
    assert len(slept) == 1


def test_tools_wait_for_real_unless_told_otherwise():
    assert Tools().sleep is transfer.time.sleep
    assert Passing("x").wait is None
