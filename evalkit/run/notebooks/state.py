"""What a notebook may change of the process it runs in, put back when it has ended."""

from __future__ import annotations

import builtins
import copy
import decimal
import locale
import logging
import operator
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

PACKAGE: Final = "evalkit"
_OF_SYS: Final = (
    *("stdin", "stdout", "stderr", "displayhook", "excepthook", "breakpointhook", "dont_write_bytecode"),
    *("__stdin__", "__stdout__", "__stderr__", "unraisablehook"),
)
_CONTAINERS: Final = (dict, list, set)
Restore = Callable[[], object]


@contextmanager
def put_back() -> Iterator[None]:
    """Let nothing that the block does to this process be seen after it.

    What is put back: environment, folder, `sys.path` and what was imported from elsewhere, streams, signals, warnings,
    logging, random numbers, options of numpy, pandas and matplotlib, built-in names, and the names and containers of
    modules and the attributes of the kit's classes. Modules stay imported.
    """
    with ExitStack() as stack:
        for keep in (_system, _modules, _libraries, _plain_state):
            for restore in keep():
                stack.callback(restore)
        yield


def _system() -> Iterator[Restore]:
    environment, folder, names = dict(os.environ), os.getcwd(), {n: getattr(sys, n) for n in _OF_SYS if hasattr(sys, n)}
    lists: list[tuple[list[Any], list[Any]]] = [
        (each, list(each)) for each in (sys.path, sys.argv, sys.meta_path, sys.path_hooks)
    ]

    def restore() -> None:
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        os.chdir(folder)
        for each, before in lists:
            each[:] = before
        for name, value in names.items():
            setattr(sys, name, value)

    yield restore
    argv, path = sys.argv, sys.path

    def lists_themselves() -> None:
        sys.argv, sys.path = argv, path

    yield lists_themselves
    if threading.current_thread() is threading.main_thread():
        handlers: dict[int, Any] = {number: signal.getsignal(number) for number in signal.valid_signals()}
        yield lambda: _set_handlers(handlers)


def _set_handlers(handlers: Mapping[int, Any]) -> None:
    for number, handler in handlers.items():
        if handler is not None and signal.getsignal(number) != handler:
            with suppress(OSError, ValueError):
                signal.signal(number, handler)


def _modules() -> Iterator[Restore]:
    before = dict(sys.modules)
    names = [(module, dict(vars(module))) for module in before.values() if type(module) is ModuleType]
    own = [module for name, module in before.items() if name == PACKAGE or name.startswith(f"{PACKAGE}.")]
    containers = [
        (value, copy.copy(value))
        for module in own
        for value in list(vars(module).values())
        if type(value) in _CONTAINERS
    ]
    classes = [(kind, dict(vars(kind))) for kind in _classes(own)]
    places = [Path(place) for place in sys.path if place]

    def restore() -> None:
        _drop_foreign(before, places)
        for module, kept in names:
            _put_names_back(vars(module), kept)
        for value, kept in containers:
            _put_content_back(value, kept)
        for kind, kept in classes:
            _put_attributes_back(kind, kept)

    yield restore


def _classes(modules: list[ModuleType]) -> Iterator[type]:
    for module in modules:
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value


def _drop_foreign(before: Mapping[str, ModuleType], places: list[Path]) -> None:
    """Forget modules that were found where nothing was looked for before, and put those back that were replaced."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name not in before and file is not None and not any(Path(file).is_relative_to(place) for place in places):
            del sys.modules[name]
    for name, module in before.items():
        if sys.modules.get(name) is not module:
            sys.modules[name] = module


def _put_names_back(names: dict[str, Any], kept: Mapping[str, Any]) -> None:
    """Put a module's names back; a submodule that was imported meanwhile stays an attribute of its package."""
    if len(names) == len(kept) and all(map(operator.is_, names.values(), kept.values())):
        return  # nothing was changed: in the same order, the same objects
    for name in [name for name in names if name not in kept]:
        if not isinstance(names[name], ModuleType):
            del names[name]
    for name, value in kept.items():
        if names.get(name, kept) is not value:
            names[name] = value


def _put_content_back(value: Any, kept: Any) -> None:
    if isinstance(value, dict):
        _put_names_back_in_order(value, kept)
    elif isinstance(value, list):
        value[:] = kept
    elif value != kept:
        value.clear()
        value.update(kept)


def _put_names_back_in_order(value: dict[Any, Any], kept: dict[Any, Any]) -> None:
    is_same = len(value) == len(kept) and all(map(operator.is_, value.values(), kept.values()))
    if not is_same or any(map(operator.is_not, value, kept)):
        value.clear()
        value.update(kept)


def _put_attributes_back(kind: type, kept: Mapping[str, Any]) -> None:
    now = vars(kind)
    for name in [name for name in now if name not in kept and not name.startswith("_abc_")]:
        with suppress(AttributeError, TypeError):
            delattr(kind, name)
    for name, value in kept.items():
        if now.get(name, kept) is not value:
            with suppress(AttributeError, TypeError):
                setattr(kind, name, value)


def _libraries() -> Iterator[Restore]:
    """Put back what numpy, pandas and matplotlib keep for the whole process, and close figures."""
    import numpy as np

    from evalkit.report.figures.plotting_state import plotting_restore

    printing, errors = np.get_printoptions(), np.geterr()
    yield lambda: np.set_printoptions(**printing)
    yield lambda: np.seterr(**errors)
    options = import_module("pandas._config.config")._global_config
    kept = copy.deepcopy(options)

    def pandas_options() -> None:
        if options != kept:
            options.clear()
            options.update(kept)

    yield pandas_options
    yield plotting_restore()


def _plain_state() -> Iterator[Restore]:
    filters, context, place = list(warnings.filters), decimal.getcontext().copy(), locale.setlocale(locale.LC_ALL)
    umask = os.umask(0o22)
    os.umask(umask)
    root, names = logging.root, dict(vars(builtins))
    handlers, level, disabled = list(root.handlers), root.level, logging.root.manager.disable

    def restore() -> None:
        warnings.filters[:] = filters  # type: ignore[index]
        warnings._filters_mutated()  # type: ignore[attr-defined]
        decimal.setcontext(context)
        locale.setlocale(locale.LC_ALL, place)
        os.umask(umask)
        root.handlers[:], root.manager.disable = handlers, disabled
        root.setLevel(level)
        _put_names_back(vars(builtins), names)
        new_random_state()

    yield restore


def new_random_state() -> None:
    """Give generators of random numbers a state that nobody knows, as in a process that has just started."""
    random.seed()
    if (numbers := sys.modules.get("numpy.random")) is not None:
        numbers.seed()
