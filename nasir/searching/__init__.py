"""The search: the paper's loop, its data, its run folder, and the training of what it finds."""
