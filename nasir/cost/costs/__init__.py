"""The costs: one class in one file each. Files of this package are found, not listed; packages outside it add theirs by
the entry point group `nasir.costs` (`docs/write-a-cost.md`)."""
