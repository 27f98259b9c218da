"""The plan of a project: written before outcomes, sealed, and whether a run kept to it.

- `frozen`: What a lock freezes of a project: its file, pool and sample, code, versions and data.
- `kept`: Whether a run kept to the locked plan: every field that differs, what was planned, what was used, and the
  reason.
- `lock`: `evalkit lock`: the plan of a project, sealed beside its file before outcomes are read.
- `timestamp`: Time stamps by RFC 3161: a request for a seal, what a service answers, and what of the answer can be
  checked here.
- `writing`: `evalkit plan`: the statistical analysis plan of a project, written before any outcome is read.
"""
