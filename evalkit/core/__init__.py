"""Words and quantities that every layer shares."""
