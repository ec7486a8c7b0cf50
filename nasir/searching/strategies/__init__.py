"""Search strategies, one file each: `nasir/searching/strategy.py` says what they give."""
