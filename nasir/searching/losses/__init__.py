"""Losses, one file each: a class called as its file is (`nasir.searching.loss.Loss`)."""
