"""Tables of the design, of effects and of the review."""
