"""`python -m evalkit`."""

from evalkit.run.cli import entry

entry()
