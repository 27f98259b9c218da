"""From published files to validated school records and panels."""
