"""The graph IR: decisions, dims, ops, nodes, regions, and their text. No torch here."""
