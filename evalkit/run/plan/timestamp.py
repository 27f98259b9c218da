"""Time stamps by RFC 3161: a request for a seal, what a service answers, and what of the answer can be checked here."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.core.plan_lock import TimeStamp

UNCHECKED: Final = (
    "Checked here: that the stamp is for this seal, and that its signed part names the stamp. Not checked here: the "
    "signature and the service's certificate; `openssl ts -verify -digest SEAL -in plan.lock.tsr -CAfile FILE` does."
)
"""What a reader is told of a time stamp: evalkit holds no certificates, so it cannot vouch for a signature."""
_SECONDS: Final = 30
_MOST_BYTES: Final = 1 << 17
_SHA256: Final = bytes.fromhex("0609608648016503040201")  # 2.16.840.1.101.3.4.2.1
_TST_INFO: Final = bytes.fromhex("2a864886f70d0109100104")  # 1.2.840.113549.1.9.16.1.4
_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")  # 1.2.840.113549.1.9.4
_GRANTED: Final = (0, 1)  # granted, granted with modifications: RFC 3161, 2.4.2
_SEQUENCE, _INTEGER, _OCTETS, _OID, _TIME, _SET = 0x30, 0x02, 0x04, 0x06, 0x18, 0x31
_FIRST: Final = 0xA0  # [0], constructed
_DIGESTS: Final = {32: "sha256", 48: "sha384", 64: "sha512", 20: "sha1"}


# DER, as far as requests and answers need it.


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(length)]) + length + content


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


@dataclass(frozen=True, slots=True)
class _Node:
    """One element: its tag, its content, and the whole of it as it stands."""

    tag: int
    content: bytes
    whole: bytes

    @property
    def parts(self) -> list[_Node]:
        """Return the elements inside."""
        return list(_nodes(self.content))


def _nodes(data: bytes) -> Iterator[_Node]:
    at = 0
    while at < len(data):
        start, tag, size = at, data[at], data[at + 1]
        at += 2
        if size & 128:
            n = size & 127
            size, at = int.from_bytes(data[at : at + n], "big"), at + n
        if at + size > len(data) or size < 0:
            raise ValueError("an element ends beyond the data")
        yield _Node(tag, data[at : at + size], data[start : at + size])
        at += size


# The request, and the answer.


def request_of(seal: str, nonce: int) -> bytes:
    """Return a request for a stamp of a SHA-256, with a number that the answer must repeat."""
    imprint = _der(_SEQUENCE, _der(_SEQUENCE, _SHA256 + b"\x05\x00") + _der(_OCTETS, bytes.fromhex(seal)))
    return _der(_SEQUENCE, _integer(1) + imprint + _integer(nonce) + b"\x01\x01\xff")


def read_answer(answer: bytes, seal: str, service: str, nonce: int | None = None) -> TimeStamp:
    """Return the stamp that an answer holds; raise `InputError` where it is none, or not of this seal.

    The signature is not checked: see `UNCHECKED`.
    """
    try:
        return _stamp(answer, seal, service, nonce)
    except (ValueError, IndexError, StopIteration):
        raise InputError(f"{service} gave no answer that is a time stamp (RFC 3161). Nothing was locked.") from None


def _stamp(answer: bytes, seal: str, service: str, nonce: int | None) -> TimeStamp:
    status, *token = next(_nodes(answer)).parts
    granted = int.from_bytes(status.parts[0].content, "big")
    if granted not in _GRANTED or not token:
        raise InputError(f"{service} refused to stamp the plan (status {granted}). Nothing was locked.")
    signed = token[0].parts[1].parts[0].parts
    kind, inside = signed[2].parts
    info = inside.parts[0].content
    if kind.content != _TST_INFO or not _signs(signed[-1], info):
        raise ValueError("another content, or one that the signed attributes do not name")
    _, policy, imprint, _, moment, *rest = next(_nodes(info)).parts
    if imprint.parts[0].parts[0].whole != _SHA256 or imprint.parts[1].content.hex() != seal:
        raise InputError(f"The stamp of {service} is of another seal than the plan's.")
    numbers = [int.from_bytes(part.content, "big") for part in rest if part.tag == _INTEGER]
    if nonce is not None and numbers != [nonce]:
        raise InputError(f"The stamp of {service} answers another request. Nothing was locked.")
    if moment.tag != _TIME:
        raise ValueError("no time")
    return TimeStamp(time=_utc(moment.content.decode("ascii")), service=service, policy=_dotted(policy.content))


def _signs(signers: _Node, info: bytes) -> bool:
    """Return whether what is signed holds the digest of the stamp itself, for every signer."""
    found = []
    for signer in signers.parts:
        attributes = next(part for part in signer.parts if part.tag == _FIRST)
        digest = next(one.parts[1].parts[0] for one in attributes.parts if one.parts[0].content == _MESSAGE_DIGEST)
        found.append(hashlib.new(_DIGESTS.get(len(digest.content), "sha256"), info).digest() == digest.content)
    return bool(found) and all(found)


def _utc(text: str) -> str:
    """Return a time such as `20261130204501Z` as `2026-11-30T20:45:01Z`."""
    read = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z", text)
    if read is None:
        raise ValueError("no time in UTC")
    year, month, day, hour, minute, second = read.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"


def _dotted(content: bytes) -> str:
    """Return an object identifier as it is written: `1.2.3`."""
    numbers, value = [content[0] // 40, content[0] % 40], 0
    for byte in content[1:]:
        value = value << 7 | byte & 127
        if not byte & 128:
            numbers.append(value)
            value = 0
    return ".".join(map(str, numbers))


def asked_stamp(seal: str, service: str) -> tuple[bytes, TimeStamp]:
    """Ask a service to stamp a seal; return its answer and what it says.

    Raises
    ------
    EnvironmentFault
        If the service cannot be reached.
    InputError
        If it refuses, or answers something else.
    """
    from urllib.request import Request, urlopen

    nonce = secrets.randbits(63) | 1
    asked = Request(
        service,
        data=request_of(seal, nonce),
        headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
    )
    try:
        with urlopen(asked, timeout=_SECONDS) as reply:
            answer = bytes(reply.read(_MOST_BYTES))
    except OSError as problem:
        why = getattr(problem, "reason", problem)
        raise EnvironmentFault(
            f"{service} could not be asked for a time stamp ({why}). Nothing was locked: try again, name another "
            "service, or leave --timestamp out."
        ) from None
    return answer, read_answer(answer, seal, service, nonce)
