"""kcjl stands between John Lewis Marketplace and Khaos Control."""

__version__ = "0.1.0"
