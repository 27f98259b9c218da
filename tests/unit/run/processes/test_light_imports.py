"""papermill is imported without building a grammar that nobody asks for, and the grammar stays importable."""

import subprocess
import sys

PROGRAM = """
import sys
from evalkit.run.processes.light import import_jsonschema
import_jsonschema()
import papermill, nbformat, jsonschema
print("rfc3987_syntax" in sys.modules, "lark" in sys.modules)
import rfc3987_syntax
print(rfc3987_syntax.is_valid_syntax("iri", "http://example.org/ä"))
"""


def test_the_grammar_is_left_out_and_may_still_be_imported():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]


def test_a_jsonschema_imported_already_is_left_as_it_is():
    import jsonschema

    from evalkit.run.processes.light import import_jsonschema

    import_jsonschema()
    assert sys.modules["jsonschema"] is jsonschema
    assert sys.modules.get("rfc3987_syntax", jsonschema) is not None
