"""demo placeholder"""


def demo() -> None:
    """X"""
