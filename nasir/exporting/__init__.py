"""Networks as files of other runtimes: a class a format, and the proof that a file computes what the network does."""
