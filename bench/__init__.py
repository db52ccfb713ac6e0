"""The benchmark suite: what Tocsin costs, as ratios within one run. `make bench`."""
