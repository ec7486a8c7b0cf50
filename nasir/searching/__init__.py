"""The search: the paper's loop, the prices of its bounds, the landing on them, and the training of what it finds."""
