"""The names of the costs, for those who need no formula."""

COST_NAMES = ("macs", "params")
