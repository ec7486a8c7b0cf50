"""What any long job needs, and no network: its folder, ranks, signals, steps, progress, machine."""
