"""What more of a programme goes with: change by dose, and the effect at a threshold."""
