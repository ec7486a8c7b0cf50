"""Tables of latency that other projects have, read as device files: one file a format."""
