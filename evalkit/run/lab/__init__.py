"""JupyterLab on a project.

- `lab`: `evalkit lab [PROJECT]`: JupyterLab on the workspace, with a project's notebooks ready to be run by hand.
- `lab_notebooks`: A project's notebooks, ready to be run by hand: parameters filled in, and what the user changed
  left alone.
"""
