"""Time stamps by RFC 3161, against openssl: what it reads of a request, and what is read of its answers."""

import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.data.lock_file import PLAN_LOCK
from evalkit.report.words.plan_kept import lock_sentence
from evalkit.run.console import Progress
from evalkit.run.notebooks.session import no_files_folder, open_evaluation
from evalkit.run.plan.lock import STAMP, LockRequest, lock_plan
from evalkit.run.plan.timestamp import asked_stamp, read_answer, request_of
from tests.plan_projects import project

SEAL = "ab" * 32
SETTINGS = """\
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Test of stamps
[v3]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/cert.pem
signer_key = {folder}/key.pem
signer_digest = sha256
default_policy = 1.2.3.4.99
digests = sha256
crypto_device = builtin
"""


@pytest.fixture(scope="module")
def openssl(tmp_path_factory):
    """Return what runs openssl in a folder with a time-stamping authority of its own."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("authority")
    (folder / "tsa.cnf").write_text(SETTINGS.format(folder=folder), encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="utf-8")

    def run(*words, given=None):
        if given is not None:
            (folder / "given").write_bytes(given)
        done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, check=True)
        return done.stdout

    made = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-extensions", "v3"]
    run("req", "-x509", "-config", "tsa.cnf", "-days", "2", *made)
    return run


@pytest.fixture(scope="module")
def answer_to(openssl):
    """Return the authority's answer to a request."""
    return lambda asked: openssl("ts", "-reply", "-queryfile", "given", "-config", "tsa.cnf", given=asked)


@pytest.fixture
def service(answer_to):
    """A server of stamps on this machine; what it does to an answer before it sends it can be set."""

    class Handler(BaseHTTPRequestHandler):
        spoil = staticmethod(lambda answer: answer)

        def do_POST(self):
            assert self.headers["Content-Type"] == "application/timestamp-query"
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(Handler.spoil(answer_to(asked)))

        def log_message(self, *words):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", Handler
    server.shutdown()
    server.server_close()


def test_openssl_reads_the_request_as_it_is_meant(openssl):
    told = openssl("ts", "-query", "-in", "given", "-text", given=request_of(SEAL, 12345678901)).decode()
    assert "Hash Algorithm: sha256" in told
    assert told.count("ab ab ab ab ab ab ab ab-ab ab ab ab ab ab ab ab") == 2
    assert "Nonce: 0x02DFDC1C35" in told  # 2·16⁸ + 13·16⁷ + 15·16⁶ + … = 12,345,678,901
    assert "Certificate required: yes" in told


def test_an_answer_gives_its_time_and_policy_and_openssl_vouches_for_it(openssl, answer_to):
    answer = answer_to(request_of(SEAL, 7))
    stamp = read_answer(answer, SEAL, "here", 7)
    shown = openssl("ts", "-reply", "-in", "given", "-text", given=answer).decode()
    assert "Policy OID: 1.2.3.4.99" in shown
    assert stamp.policy == "1.2.3.4.99"
    minute, second = stamp.time[14:16], stamp.time[17:19]
    assert f":{minute}:{second} " in shown.split("Time stamp: ")[1]
    said = openssl("ts", "-verify", "-digest", SEAL, "-in", "given", "-CAfile", "cert.pem", given=answer)
    assert b"Verification: OK" in said


def test_an_answer_to_another_question_is_refused(answer_to):
    answer = answer_to(request_of(SEAL, 7))
    with pytest.raises(InputError, match="answers another request"):
        read_answer(answer, SEAL, "here", 8)
    with pytest.raises(InputError, match="of another seal"):
        read_answer(answer, "cd" * 32, "here", 7)


@pytest.mark.parametrize("spoilt", [b"", b"\x30", b"<html>", b"\x30\x03\x02\x01\x02", b"\x30\x84\xff\xff\xff\xff"])
def test_what_is_no_answer_is_refused(spoilt):
    with pytest.raises(InputError, match="no answer that is a time stamp"):
        read_answer(spoilt, SEAL, "here")


def test_a_time_that_was_changed_is_not_what_is_signed(answer_to):
    answer = answer_to(request_of(SEAL, 7))
    year = read_answer(answer, SEAL, "here").time[:4].encode()
    with pytest.raises(InputError, match="no answer that is a time stamp"):
        read_answer(answer.replace(year + b"1", b"20161").replace(year + b"0", b"20160"), SEAL, "here")


def test_a_refusal_is_told():
    # SEQUENCE { SEQUENCE { INTEGER 2 } }: PKIStatus 2 is rejection, RFC 3161, 2.4.2
    with pytest.raises(InputError, match=r"refused to stamp the plan \(status 2\)"):
        read_answer(b"\x30\x05\x30\x03\x02\x01\x02", SEAL, "here")


def test_a_service_that_is_not_there_is_told():
    with pytest.raises(EnvironmentFault, match=r"could not be asked for a time stamp .* Nothing was locked"):
        asked_stamp(SEAL, "http://127.0.0.1:9/")


def test_a_lock_bears_the_stamp_and_it_is_read_again(tmp_path, service, openssl):
    address, handler = service
    path = project(tmp_path / "small", "series")
    request = LockRequest(project_file=path, data=no_files_folder(), outputs=tmp_path / "outputs", timestamp=address)
    handler.spoil = staticmethod(lambda answer: answer[:-40])
    with pytest.raises(InputError):
        lock_plan(request, Progress(is_quiet=True))
    assert not (path.parent / PLAN_LOCK).exists()
    handler.spoil = staticmethod(lambda answer: answer)
    made = lock_plan(request, Progress(is_quiet=True))
    said = lock_sentence(open_evaluation(str(path)).kept)
    assert f"(as {address} stamped it; its signature is not checked)" in said
    answer = (path.parent / STAMP).read_bytes()
    given = openssl("ts", "-verify", "-digest", made.seal, "-in", "given", "-CAfile", "cert.pem", given=answer)
    assert b"Verification: OK" in given
    file = path.parent / PLAN_LOCK
    content = json.loads(file.read_text(encoding="utf-8"))
    other = "00" * 32
    content["timestamp"]["answer"] = content["timestamp"]["answer"].replace(made.seal, other)
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError):
        open_evaluation(str(path))
