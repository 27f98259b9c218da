"""Functions and files stay small enough to read at once."""

import ast
import statistics

from source_tree import modules, shown, tree

MEDIAN, NINE_IN_TEN, LONGEST = 10, 25, 60
MOST_BY_POSITION = 6
LONGEST_FILE = 600

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> list[tuple[str, Function]]:
    """Return every function of the kit with the place where it stands."""
    return [
        (f"{shown(path)}:{node.lineno} {node.name}", node)
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def lines(function: Function) -> int:
    """Return the lines from `def` to the end, the docstring among them."""
    return function.end_lineno - function.lineno + 1


def by_position(function: Function) -> int:
    """Return the number of arguments that a caller may give without naming them."""
    given = [*function.args.posonlyargs, *function.args.args]
    return len([argument for argument in given if argument.arg not in ("self", "cls")])


def parsed(source: str) -> Function:
    return ast.parse(source).body[0]


def test_every_line_is_counted():
    # def, the docstring's three, x, y: 6 lines
    assert lines(parsed('def f():\n    """A.\n\n    B."""\n    x = 1\n    y = 2\n')) == 6


def test_arguments_by_position_are_counted_without_self():
    assert by_position(parsed("def f(self, a, /, b, *rest, c=1, **more): ...")) == 2


def test_functions_are_short():
    lengths = sorted(lines(function) for _, function in functions())
    assert statistics.median(lengths) <= MEDIAN
    assert lengths[int(0.9 * len(lengths))] <= NINE_IN_TEN


def test_no_function_is_long():
    assert [f"{place}: {lines(function)} lines" for place, function in functions() if lines(function) > LONGEST] == []


def test_no_function_takes_many_arguments_by_position():
    many = [f"{place}: {by_position(node)}" for place, node in functions() if by_position(node) > MOST_BY_POSITION]
    assert many == []


def test_no_file_is_long():
    counts = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name: count for name, count in counts.items() if count > LONGEST_FILE} == {}
