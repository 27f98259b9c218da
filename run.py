"""Set up evalkit and run it, with nothing but Python 3.11 or later.

    python3 run.py [OPTIONS]            the Knowsley report (OPTIONS go to `evalkit run`: --data DIR, --out DIR)
    python3 run.py test [OPTIONS]       the tests (OPTIONS go to pytest)
    python3 run.py docs                 the documentation as a site, in build/docs
    python3 run.py evalkit ARGUMENTS    any evalkit command, such as `evalkit projects`
    python3 run.py setup                only set up

On Windows type `py run.py` in place of `python3 run.py`. The first call makes an environment in the folder .venv (or
in the folder that EVALKIT_VENV names), which takes a few minutes; later calls find it ready. Exit code 3: the set-up
failed.
"""

from __future__ import annotations  # this file has to parse on an older Python, to say that it is too old

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
WINDOWS = os.name == "nt"
OLDEST = (3, 11)
PROJECT = "knowsley-ssif"
STAMP = "evalkit-setup.json"
STARTED = "evalkit-setup-started"
UNFINISHED = "evalkit-setup-unfinished"
SITE = os.path.join("build", "docs")
HEARTBEAT_SECONDS = 10
DONE, ENVIRONMENT_FAILED, INTERRUPTED = 0, 3, 130

NO_NETWORK = (
    "Temporary failure in name resolution", "Name or service not known", "nodename nor servname", "getaddrinfo failed",
    "NewConnectionError", "Failed to establish a new connection", "Network is unreachable", "Connection refused",
    "ConnectTimeoutError", "ReadTimeoutError", "dns error", "error sending request", "Failed to fetch",
    "Cannot connect to proxy", "Could not connect", "from versions: none",
)  # fmt: skip
NO_SPACE = ("No space left on device", "Disk quota exceeded", "There is not enough space on the disk")
ELSEWHERE = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "__PYVENV_LAUNCHER__")
# What pip and uv say of what they do, and the same in words; whatever else they say is not shown while a step goes on.
STAGES = (
    ("Collecting ", "finding {}"), ("Downloading ", "fetching {}"), ("Using cached ", "finding {}"),
    ("Building wheel for ", "building {}"), ("Building editable for ", "building {}"), ("Building ", "building {}"),
    ("Installing build dependencies", "fetching what builds a package"),
    ("Preparing ", "preparing a package"), ("Installing collected packages: ", "unpacking {} packages"),
    ("Resolved ", "fetching packages"), ("Prepared ", "unpacking packages"), ("Installed ", "unpacking packages"),
)  # fmt: skip
CHATTER = ("Ignoring ", "WARNING: Location", "Attempting uninstall", "Found existing", "Uninstalling",
           "Successfully uninstalled", "[notice]", "Looking in ")  # fmt: skip
WRONG_HASH = ("DO NOT MATCH THE HASHES", "Hash mismatch")


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def main(arguments):
    """Set up, do what the command line asks and return the exit code."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__)
        return DONE
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        require_python(sys.version_info[:2])
        set_up(venv_folder())
    except SetupError as problem:
        print("evalkit cannot be set up. {}".format(problem), file=sys.stderr)
        return ENVIRONMENT_FAILED
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    command = child_command(venv_python(venv_folder()), arguments)
    if command is None:
        return DONE
    first = arguments[0] if arguments else ""
    variables = activated_environment(venv_folder(), one_thread=first == "test")
    code = run_child(command, variables, ROOT if first in ("test", "docs") else None)
    if first == "docs" and code == DONE:
        print(os.path.join(ROOT, SITE, "docs", "index.html"))
    return code


def child_command(python, arguments):
    """Return the command to run after set-up, or None where set-up was all that was asked."""
    first, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if first == "setup":
        return None
    if first == "test":
        workers = str(min(os.cpu_count() or 1, 4))
        return [python, "-m", "pytest", "-n", workers, "--dist", "worksteal", *rest]
    if first == "docs":
        return [python, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-c", "docs", *rest, ".", SITE]
    if first == "evalkit":
        return [python, "-m", "evalkit", *rest]
    return [python, "-m", "evalkit", "run", PROJECT, *arguments]


# What this machine has


def require_python(version):
    """Raise unless this Python is new enough; name a newer one where the machine has it."""
    if version >= OLDEST:
        return
    text = "It needs Python {}.{} or later, and this is Python {}.{}.".format(*(OLDEST + tuple(version)))
    for minor in (14, 13, 12, 11):
        newer = "python3.{}".format(minor)
        if shutil.which(newer) and subprocess.call([newer, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            raise SetupError("{} This machine has one: type\n    {} run.py".format(text, newer))
    remedy = "Install a newer Python from https://www.python.org/downloads/ and type the same command again."
    raise SetupError("{} {}".format(text, remedy))


def require_modules(names):
    """Raise with the exact line to type unless this Python has the modules that make environments."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if not missing:
        return
    if shutil.which("apt-get"):
        line = "sudo apt-get install python3-venv python{}.{}-venv".format(*sys.version_info[:2])
        remedy = "Type\n    {}\nand then the same command again.".format(line)
    else:
        remedy = "Install Python from https://www.python.org/downloads/ or from your system's packages, and try again."
    raise SetupError("This Python has no module {}. {}".format(" and no module ".join(missing), remedy))


def venv_folder():
    """Return the folder of the environment: EVALKIT_VENV, or .venv beside this file."""
    return os.path.abspath(os.path.expanduser(os.environ.get("EVALKIT_VENV") or os.path.join(ROOT, ".venv")))


def venv_programs(folder):
    """Return the folder of the environment's programs."""
    return os.path.join(folder, "Scripts" if WINDOWS else "bin")


def venv_python(folder):
    """Return the environment's Python."""
    return os.path.join(venv_programs(folder), "python.exe" if WINDOWS else "python")


def find_uv(folder):
    """Return the uv on PATH or in the environment, or None."""
    beside = os.path.join(venv_programs(folder), "uv.exe" if WINDOWS else "uv")
    return shutil.which("uv") or (beside if os.path.exists(beside) else None)


# Is it ready?


def setup_key(folder):
    """Return a digest of all that the environment was made from: lock, project file, place and Python."""
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml", "run.py"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    digest.update(json.dumps([ROOT, os.path.realpath(venv_python(folder)), venv_version(folder)]).encode())
    return digest.hexdigest()


def venv_version(folder):
    """Return the Python version that the environment says it has, '' where there is none."""
    with contextlib.suppress(OSError), open(os.path.join(folder, "pyvenv.cfg"), encoding="utf-8") as file:
        return next((line.split("=")[1].strip() for line in file if line.startswith("version")), "")
    return ""


def is_ready(folder):
    """Return whether the last set-up finished and nothing that it depends on has changed."""
    try:
        with open(os.path.join(folder, STAMP), encoding="utf-8") as file:
            stamp = json.load(file)
        return os.path.exists(venv_python(folder)) and stamp.get("key") == setup_key(folder)
    except (OSError, ValueError, AttributeError):
        return False


# Setting up


def set_up(folder):
    """Make the environment ready; do nothing where it is."""
    if is_ready(folder):
        return
    with only_one(folder):
        if is_ready(folder):  # another set-up has just finished it
            return
        try:
            make_ready(folder)
        except OSError as problem:
            raise SetupError("{} The folder is {}.".format(problem, folder)) from None


def make_ready(folder):
    """Create the environment, install the lock and then the kit, and stamp it last of all."""
    started = time.monotonic()
    print("Setting up evalkit in {} (once; a few minutes)".format(folder), flush=True)
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(folder, STAMP))
    ensure_venv(folder)
    unfinished = os.path.join(folder, UNFINISHED)
    with open(unfinished, "w", encoding="utf-8") as file:
        file.write("Packages are being installed, or were when the set-up was stopped.\n")
    install(folder, "installing the locked packages", ["--require-hashes", "-r", "requirements.lock"])
    install(folder, "installing evalkit itself", ["--no-deps", "--no-build-isolation", "-e", "."])
    step("checking", [venv_python(folder), "-c", "import evalkit, numpy, pandas, pytest"])
    with open(unfinished, "w", encoding="utf-8") as file:
        json.dump({"key": setup_key(folder)}, file)
    os.replace(unfinished, os.path.join(folder, STAMP))
    print("Ready after {:.0f} s".format(time.monotonic() - started), flush=True)


def ensure_venv(folder):
    """Leave a working environment in `folder`, keeping one that works and replacing only one that we began."""
    if was_interrupted(folder):
        print("  the last set-up was interrupted: starting afresh", flush=True)
    elif is_healthy(folder):
        return
    without_pip = ["--without-pip"] if shutil.which("uv") else []
    require_modules(["venv"] if without_pip else ["venv", "ensurepip"])
    empty_own_folder(folder)
    base = getattr(sys, "_base_executable", None) or sys.executable
    step("creating the environment", [base, "-m", "venv", *without_pip, folder])


def was_interrupted(folder):
    """Return whether we began this environment and were stopped while packages, perhaps half of one, went in."""
    return all(os.path.exists(os.path.join(folder, name)) for name in (STARTED, UNFINISHED))


def empty_own_folder(folder):
    """Leave a folder that holds nothing but our mark; raise where it holds what we did not put there."""
    marker = os.path.join(folder, STARTED)
    ours = os.path.exists(marker) or folder == os.path.join(ROOT, ".venv")
    os.makedirs(folder, exist_ok=True)
    present = [entry for entry in os.scandir(folder) if entry.name != STARTED]
    if present and not ours:
        text = "{} holds something other than a working environment: left alone. Set EVALKIT_VENV to a new folder."
        raise SetupError(text.format(folder))
    with open(marker, "w", encoding="utf-8") as file:
        file.write("Made by run.py; this folder may be deleted at any time.\n")
    for entry in present:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.remove(entry.path)


def is_healthy(folder):
    """Return whether the environment has a Python that is new enough and an installer."""
    code = "import sys; assert sys.version_info >= {!r} and sys.prefix != sys.base_prefix".format(OLDEST)
    if not find_uv(folder):
        code += "; import pip"
    try:
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.call([venv_python(folder), "-c", code], env=clean_environment(), **silent) == 0
    except OSError:
        return False


def install(folder, title, options):
    """Install with uv where there is one, and with pip where there is none or it fails."""
    python, uv = venv_python(folder), find_uv(folder)
    pip = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    if uv is None:
        step("{} with pip".format(title), pip + options)
        return
    try:
        step("{} with uv".format(title), [uv, "pip", "install", "--python", python, *options])
    except SetupError:
        if not has_pip(python):
            raise
        print("  uv could not; trying pip", flush=True)
        step("{} with pip".format(title), pip + options)


def has_pip(python):
    """Return whether this Python has pip."""
    return subprocess.call([python, "-c", "import pip"], env=clean_environment(), stderr=subprocess.DEVNULL) == 0


def step(title, command):
    """Run one command of the set-up, showing that it lives; raise with its last lines where it fails."""
    started = time.monotonic()
    print("  {} ...".format(title), flush=True)
    lines, finished, stage = [], threading.Event(), Stage(started)
    process = subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        close_fds=WINDOWS,  # elsewhere the step shares the lock, so that it is held until the last of us has ended
    )  # fmt: skip
    heart = threading.Thread(target=beat, args=(stage, finished, started), daemon=True)
    heart.start()
    try:
        with process.stdout as output:
            for line in output:
                lines.append(line.rstrip())
                stage.hear(line)
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        finished.set()
        heart.join()
    if code:
        raise SetupError(explain(title, lines))
    print("  {}: done in {:.0f} s".format(title, time.monotonic() - started), flush=True)


class Stage:
    """What a step does, in words, and since when: by the last line of the package client that says so."""

    def __init__(self, started):
        self.now = ("at work", started)

    def hear(self, line):
        """Take note of a line; one that says nothing of what is done changes nothing."""
        said = stage_of(line)
        if said and said != self.now[0]:
            self.now = (said, time.monotonic())

    def text(self):
        """Return what is done, and how long that has been so where that is long."""
        said, since = self.now
        seconds = time.monotonic() - since
        return said if seconds < HEARTBEAT_SECONDS else "{}, for {:.0f} s".format(said, seconds)


def stage_of(line):
    """Return in words what a line of pip or uv says is done, '' for one that says nothing of it."""
    line = line.strip()
    for beginning, words in STAGES:
        if line.startswith(beginning):
            rest = line[len(beginning) :]
            many = "{} packages" in words
            return words.format(rest.count(",") + 1 if many else re.split(r"[\s=<>!~;\[(]", rest)[0].rsplit("/", 1)[-1])
    return ""


def beat(stage, finished, started):
    """Say every few seconds how long a step has taken and what it does now."""
    while not finished.wait(HEARTBEAT_SECONDS):
        print("    {:4.0f} s  {}".format(time.monotonic() - started, stage.text()), flush=True)


def explain(title, lines):
    """Return why a step failed and what to do, from the last lines that it printed."""
    lines = [line for line in lines if not line.strip().startswith(CHATTER)]
    text = "\n".join(lines)
    if any(sign in text for sign in NO_SPACE):
        reason = "The disk is full: the environment takes about 1 GB. Make room and type the same command again."
    elif any(sign in text for sign in WRONG_HASH):
        reason = (
            "A package that was offered is not the one that requirements.lock names, and was refused. "
            "Look for a mirror or proxy in pip's settings, and try again without it."
        )
    elif any(sign in text for sign in NO_NETWORK):
        reason = "The packages could not be fetched: the package index cannot be reached. Connect this machine to the "
        reason += "network and type the same command again."
    else:
        reason = "The same command tries again; deleting the folder of the environment starts afresh."
    return "It stopped while {}.\n{}\nThe last lines were:\n{}".format(title, reason, "\n".join(lines[-12:]))


@contextlib.contextmanager
def only_one(folder):
    """Hold the set-up for this folder; the system lets go of it even where this process is killed."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(folder + ".lock", "a+b") as file:
        os.set_inheritable(file.fileno(), True)
        if not try_lock(file):
            print("Another set-up of this environment is running: waiting for it ...", flush=True)
            while not try_lock(file):
                time.sleep(0.5)
        yield


def try_lock(file):
    """Return whether the lock on an open file could be had."""
    try:
        if WINDOWS:
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks: two set-ups at once are then the user's to avoid
        return True
    return True


# Running


def clean_environment():
    """Return the environment variables without those that would send Python or pip elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in ELSEWHERE}


def activated_environment(folder, one_thread):
    """Return the variables as they are where the environment is active; with one BLAS thread a process if asked."""
    variables = clean_environment()
    variables["VIRTUAL_ENV"] = folder
    variables["PATH"] = os.pathsep.join([venv_programs(folder), variables.get("PATH", "")])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS") if one_thread else ():
        variables.setdefault(name, "1")
    return variables


def run_child(command, variables, folder):
    """Run the command to its end and return its exit code; 130 where it was interrupted."""
    process = subprocess.Popen(command, env=variables, cwd=folder)
    signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
    interrupted = False
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:  # the child has had it too, and ends by itself
            interrupted = True
    if interrupted:
        return INTERRUPTED
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
