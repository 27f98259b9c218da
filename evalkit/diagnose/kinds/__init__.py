"""Results of kinds of analysis, and what could be wrong with them."""
