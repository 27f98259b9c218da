"""Many projects: in parallel, on a cluster, as a portfolio.

- `clean`: `evalkit clean`: what no project needs any more is listed, asked about and removed; no project's report
  ever is.
- `cluster`: Replications on the workers of a Dask cluster, with the numbers that one process gives.
- `cluster_fleet`: Many projects at once on the workers of a Dask cluster, each run as this machine would run it.
- `ending`: How `evalkit run` ends: the answer of a report in a sentence, what to type next, and what became of each
  project.
- `fleet`: Many projects at once, each in a process of its own.
- `live`: What a run of projects does while it does it: a log of JSON lines, lines or a live table, and a summary.
- `portfolio`: `evalkit portfolio`: one static site over all finished projects of a workspace.
- `portfolio_reader`: Every finished, failed and foreign folder among the outputs of a workspace, each report as a
  record.
- `run_command`: `evalkit run`: evaluate one project, several, or all, and write their reports.
- `status`: `evalkit status`: how each project stands, and why its report is not of what would be read now; nothing is
  run.
- `task`: One project to be run, what became of it, and a part of the projects for each of several machines.
"""
