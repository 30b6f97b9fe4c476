"""The whole system from one seed: `python -m tests.simulation --seeds A..B`."""
