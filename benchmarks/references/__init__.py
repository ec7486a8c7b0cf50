"""Published networks as their own implementations build them, and numbers of them that the tests compare with.

Weights come from a formula (`tests/references.py`): nothing that was trained is loaded.
"""
