"""A concrete graph to the source of one standalone PyTorch file."""
