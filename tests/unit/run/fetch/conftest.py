"""A server on this machine, tools that do not sleep, and what a fetch leaves."""

import pytest

from evalkit.run.fetch.transfer import Limits, Tools
from tests.public_server import public_server


@pytest.fixture
def server():
    with public_server() as found:
        yield found


@pytest.fixture
def slept():
    """The seconds that were waited."""
    return []


@pytest.fixture
def said():
    return []


@pytest.fixture
def tools(slept, said):
    return Tools(limits=Limits(silence=2.0, connect=2.0), sleep=slept.append, say=said.append)
