"""`python -m kcjl` is `kcjl`."""

from kcjl.cli.main import run

if __name__ == "__main__":
    run()
