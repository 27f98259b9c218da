"""The shell in which cells are executed: what they show and write is kept as a kernel would send it."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import date
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, Final

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat import NotebookNode, from_dict
from traitlets import Any as AnyTrait
from traitlets import Instance, Type

_STREAMS: Final = ("stdout", "stderr")


class CellOutputs:
    """What the cell that runs has given so far, in the order in which a kernel would have sent it."""

    def __init__(self) -> None:
        self._outputs: list[NotebookNode] = []
        self._streams = {name: CellStream(name) for name in _STREAMS}
        self._shown: dict[str, list[NotebookNode]] = {}
        self._is_to_clear = False

    @property
    def streams(self) -> tuple[CellStream, CellStream]:
        """What takes the place of standard output and standard error."""
        return self._streams["stdout"], self._streams["stderr"]

    def begin(self) -> list[NotebookNode]:
        """Begin a cell and return its outputs, which grow while it runs."""
        self.flush()
        self._outputs, self._is_to_clear = [], False
        return self._outputs

    def flush(self) -> None:
        """Put what was written since the last output among the outputs: of each stream in one piece."""
        for name, stream in self._streams.items():
            if text := stream.taken():
                self._append({"output_type": "stream", "name": name, "text": text})

    def add(self, output: Mapping[str, Any], display_id: str | None = None) -> None:
        """Add an output after what was written before it; one with an id may be updated later on."""
        self.flush()
        added = self._append(output)
        if display_id is not None:
            self._update(display_id, added)
            self._shown.setdefault(display_id, []).append(added)

    def update(self, output: Mapping[str, Any], display_id: str) -> None:
        """Show something else wherever an id was shown, in earlier cells too."""
        self.flush()
        self._update(display_id, _node(output))

    def clear(self, wait: bool) -> None:
        """Remove the outputs of this cell, at once or when there is another."""
        self.flush()
        self._is_to_clear = wait
        if not wait:
            self._outputs.clear()

    def _append(self, output: Mapping[str, Any]) -> NotebookNode:
        if self._is_to_clear:
            self._outputs.clear()
            self._is_to_clear = False
        self._outputs.append(_node(output))
        return self._outputs[-1]

    def _update(self, display_id: str, output: NotebookNode) -> None:
        for shown in self._shown.get(display_id, ()):
            shown.data, shown.metadata = output.data, output.metadata


class CellStream(io.TextIOBase):
    """A standard stream whose text becomes an output of the cell."""

    def __init__(self, name: str) -> None:
        self.name = f"<{name}>"
        self._written: list[str] = []

    encoding = "UTF-8"
    errors = "strict"

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep a text until the next output of the cell."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._written.append(text)
        return len(text)

    def taken(self) -> str:
        """Return what was written since this was last asked."""
        text = "".join(self._written)
        self._written.clear()
        return text


def _node(output: Mapping[str, Any]) -> NotebookNode:
    """Return an output as it is after its way through JSON: nothing in it changes with what it was made from."""
    node: NotebookNode = from_dict(json.loads(json.dumps(output, default=_for_json)))  # type: ignore[no-untyped-call]
    return node


def _for_json(value: Any) -> Any:
    """Return what the protocol of kernels sends for what JSON does not know."""
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Iterable):
        return list(value)
    if isinstance(value, Real):
        return int(value) if isinstance(value, Integral) else float(value)
    raise TypeError(f"{type(value).__name__} cannot be shown in a notebook.")


class CellPublisher(DisplayPublisher):
    """Adds what a cell displays to its outputs."""

    shell: Any

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: Any = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        """Add what is displayed, or put it in the place of what was displayed under the same id."""
        output = {"output_type": "display_data", "data": data, "metadata": metadata or {}}
        display_id = (transient or {}).get("display_id")
        if update and display_id is not None:
            self.shell.outputs.update(output, display_id)
        else:
            self.shell.outputs.add(output, display_id)

    def clear_output(self, wait: bool = False) -> None:
        """Remove the outputs of the cell."""
        self.shell.outputs.clear(wait)


class CellResult(DisplayHook):
    """Adds the value of a cell's last expression to its outputs."""

    shell: Any
    _result: Mapping[str, Any] = MappingProxyType({})

    def write_output_prompt(self) -> None:
        """Begin a result."""
        self._result = {}

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Take what is shown of the value."""
        self._result = {"data": format_dict, "metadata": md_dict or {}}

    def finish_displayhook(self) -> None:
        """Add the result, where anything is shown of it."""
        if self._result.get("data"):
            counted = {"output_type": "execute_result", "execution_count": self.prompt_count}
            self.shell.outputs.add({**counted, **self._result})
        self._result = {}


class CellCompiler(CachingCompiler):
    """Names the code of a cell as kernels do, since warnings show it."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """Return the file in which a cell would be found."""
        from ipykernel.compiler import get_file_name

        return str(get_file_name(raw_code))  # type: ignore[no-untyped-call]


class CellShell(InteractiveShell):
    """A shell that executes the cells of one notebook: nothing of the user's settings, no history, no terminal.

    `error` is what stopped the last cell, if anything did, with its traceback as text.
    """

    outputs = Instance(CellOutputs, args=())
    display_pub_class = Type(CellPublisher)
    displayhook_class = Type(CellResult)
    compiler_class = Type(CellCompiler)
    error = AnyTrait(None)
    autoindent = False

    def run_source(self, source: str) -> list[NotebookNode]:
        """Execute a cell and return its outputs; `error` says what stopped it."""
        shown, self.error = self.outputs.begin(), None
        result: Any = self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        self.outputs.flush()
        for problem in (result.error_before_exec, result.error_in_exec):
            if problem is not None and (self.error is None or self.error[0] is not problem):
                self.error = (problem, "")
        return shown

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        told = {"ename": etype.__name__, "evalue": str(evalue), "traceback": stb}
        self.outputs.add({"output_type": "error", **told})
        self.error = (evalue, "\n".join(stb))

    def ask_exit(self) -> None:
        """Stop, as `exit` asks for."""
        raise SystemExit

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing: there is no window."""

    def init_virtualenv(self) -> None:
        """Do nothing: cells import what the kit imports."""
