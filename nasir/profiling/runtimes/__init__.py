"""The runtimes that `nasir profile` knows, one class in one file each; files of this package are found, not listed."""
