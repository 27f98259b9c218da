"""What the benchmarks share: environments, fresh processes, tables."""
