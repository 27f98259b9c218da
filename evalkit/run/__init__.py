"""Project files, notebooks, outputs and the command line.

- `cli`: The command line: finds the command that was typed, reads its options and does it; no traceback is ever
  shown.
- `commands/`: What may be typed: every command in the order of use, its options, its examples, and what is refused at
  once.
- `console`: What reaches a terminal or pipe: progress on standard error, and no sign that its encoding lacks.
- `fetch/`: `evalkit fetch`: public files as they are published, checked, registered, and gone on with where they
  broke off.
- `kinds/`: The kinds of analysis that a project may name: one list, and a file for each.
- `lab/`: JupyterLab on a project.
- `many/`: Many projects: in parallel, on a cluster, as a portfolio.
- `notebooks/`: Notebooks: what they call, how they are executed and released.
- `outputs/`: The outputs of a project: put in place whole, described, and known to be current or not.
- `plan/`: The plan of a project: written before outcomes, sealed, and whether a run kept to it.
- `processes/`: Processes: forked or fresh, within limits, and what is told when one fails.
- `project/`: One project: its file, its data, its run.
- `review/`: Finished runs checked: made again, set side by side, and packed for others to check.
- `tables/`: Commands for a table and no project: `did`, `match`, `synth`, `similar`; and `power`.
- `typed_paths`: Files and folders that a user names: looked at before anything is computed.
"""
