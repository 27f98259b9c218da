"""Project files, notebooks, outputs and the command line."""
