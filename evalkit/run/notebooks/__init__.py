"""Notebooks: what they call, how they are executed and released.

- `execute`: Notebooks executed with validated parameters; their status comes from the exception alone.
- `kernel_main`: A notebook's kernel: `main` of the process that runs it.
- `kernels`: The process that a notebook runs in: this Python, one thread, nothing of the user's settings, forked
  where it can be.
- `session`: What a notebook calls: the design without any follow-up outcome, and then the evaluation.
- `tidy`: Executed notebooks as they are released: the same bytes from the same inputs, and nothing of this machine.
"""
