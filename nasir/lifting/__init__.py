"""Ordinary PyTorch networks as programs: traced, read as ops, written as blocks and tables, and proved equal."""
