"""Figures in one voice: colours that colour-blind readers can tell apart, labels at the lines, honest axes."""
