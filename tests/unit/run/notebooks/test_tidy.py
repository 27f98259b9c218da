"""A released notebook holds what a reader sees, and not the records that the documents are made from."""

import json

from evalkit.report.border.markup import PART_MIME
from evalkit.report.border.parts import Prose
from evalkit.run.notebooks.tidy import notebook_bytes, tidy


def notebook():
    shown = {
        "output_type": "execute_result",
        "data": Prose(("Said in /somewhere/a/b.",))._repr_mimebundle_(),
        "metadata": {},
    }
    stream = {"output_type": "stream", "name": "stdout", "text": "text"}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Why?"},
        {"cell_type": "code", "metadata": {}, "source": "x", "execution_count": 1, "outputs": [shown, stream]},
    ]
    return {"cells": cells}


def test_records_are_kept_for_the_documents_with_the_paths_renamed():
    cleaned = tidy(notebook(), {}, {"/somewhere/a": "home"})
    assert cleaned["cells"][1]["outputs"][0]["data"][PART_MIME]["sentences"] == ["Said in home/b."]


def test_records_are_left_out_of_the_file():
    cleaned = tidy(notebook(), {}, {"/somewhere/a": "home"})
    released = json.loads(notebook_bytes(cleaned))
    shown, stream = released["cells"][1]["outputs"]
    assert set(shown["data"]) == {"text/html", "text/plain"}
    assert stream["text"] == "text"
    assert PART_MIME in cleaned["cells"][1]["outputs"][0]["data"]


def test_a_warning_does_not_say_the_number_of_its_process():
    warned = notebook()
    warned["cells"][1]["outputs"][1]["text"] = "folder/ipykernel_4711/12.py:1: UserWarning"
    assert tidy(warned, {}, {})["cells"][1]["outputs"][1]["text"] == "folder/ipykernel/12.py:1: UserWarning"


def test_pieces_of_one_stream_are_one_output_wherever_a_kernel_cut_them():
    pieces = [("stdout", "seen"), ("stdout", "\nagain\n"), ("stderr", "look\n"), ("stdout", "more")]
    outputs = [{"output_type": "stream", "name": name, "text": text} for name, text in pieces]
    cell = {"cell_type": "code", "metadata": {}, "source": "", "execution_count": 1, "outputs": outputs}
    (tidied,) = tidy({"cells": [cell]}, {}, {})["cells"]
    assert [(one["name"], one["text"]) for one in tidied["outputs"]] == [
        ("stdout", "seen\nagain\n"),
        ("stderr", "look\n"),
        ("stdout", "more"),
    ]
