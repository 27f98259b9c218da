"""Notebooks: what they call, how they are executed and released.

- `engine`: Notebooks run in this process, each in a namespace of its own that nothing is left of.
- `execute`: Notebooks executed with validated parameters; their status comes from the exception alone.
- `planned`: Which notebooks a project runs: the kit's own, one for each of its analyses, and those of the evaluator.
- `session`: What a notebook calls: the design without any follow-up outcome, and then the evaluation.
- `shell`: The shell in which cells are executed: what they show and write is kept as a kernel would send it.
- `state`: What a notebook may change of the process it runs in, put back when it has ended.
- `tidy`: Executed notebooks as they are released: the same bytes from the same inputs, and nothing of this machine.
"""
