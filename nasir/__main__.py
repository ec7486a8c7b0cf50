"""`python -m nasir`."""

from nasir.cli.main import run

if __name__ == "__main__":
    run()
