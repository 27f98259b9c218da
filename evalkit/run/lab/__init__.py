"""JupyterLab on a project.

- `lab`: `evalkit lab [PROJECT]`: JupyterLab on the workspace, with a project's notebooks ready to be run by hand.
"""
