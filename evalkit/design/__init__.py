"""Who is compared with whom, decided before outcomes are read."""
