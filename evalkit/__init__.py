"""Impact evaluations of school-improvement partnership programmes, from published data to a report."""

__version__ = "0.1.0"
