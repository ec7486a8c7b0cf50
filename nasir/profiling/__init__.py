"""What a device takes for the kernels of a space: measured, or told by a formula, and kept in a device file."""
