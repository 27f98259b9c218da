"""Errors a person reads: what is wrong, where, and what to do next."""


class EvalkitError(Exception):
    """Base class; the command line prints the message without a traceback."""

    exit_code = 1

    def __str__(self) -> str:
        """Return the message; what a name in a file holds of commands to a terminal is not in it."""
        text = super().__str__()
        if text.isascii() and text.isprintable():  # as nearly all are; what cleans the others takes its time to load
            return text
        from evalkit.core.words import cleaned

        return cleaned(text)


class InputError(EvalkitError):
    """Something the user supplied cannot be used as it is."""

    exit_code = 2


class DataError(InputError):
    """A file is not the table it claims to be."""


class MissingData(DataError):
    """A published file, or the results of a summer, that a project needs is not in the folder."""


class UnknownParticipants(DataError):
    """A file of participants lists schools that no file of the data knows."""


class DesignError(InputError):
    """The comparison asked for cannot identify the effect."""


class ProjectError(InputError):
    """A project file asks for something that cannot be understood."""


class PlanNotLocked(InputError):
    """Outcomes were asked for before the plan of a project that requires a lock was locked."""


class EnvironmentFault(EvalkitError):
    """The machine, not the project, stopped the work: disk, memory, permissions."""

    exit_code = 3
