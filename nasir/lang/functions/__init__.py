"""The functions of the language: one class for each kind, in a file of its own with what evaluates to it."""
