"""Losses, one file each: a function of logits, labels and `label_smoothing`, called as its file is."""
