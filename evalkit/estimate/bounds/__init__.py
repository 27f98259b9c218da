"""How far trends may have parted, by what was seen before a programme, before a result no longer stands."""
