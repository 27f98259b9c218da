"""The outputs of a project: put in place whole, described, and known to be current or not.

- `content_key`: Whether a project has to be run again: a key over all that decides its outputs, and reports that
  still stand.
- `folder`: The outputs folder: made beside its place, checked, and put there whole or not at all, with a way back.
- `hashes`: SHA-256 of files by content, each read once, and of published files as the store keeps it.
- `machine_marks`: What in a file would tell on which machine, and in whose folders, it was made; documents are looked
  into.
- `manifest`: What the outputs were made from, in a file that says the same for the same run.
- `release`: `evalkit release`: the folder of a project that may leave, made from its finished report.
"""
