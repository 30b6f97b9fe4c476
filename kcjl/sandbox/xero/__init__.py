"""Xero as far as manual journals go: one organisation's books, and its API's face."""

from kcjl.sandbox.xero.books import BOOKS_HOOKS, Books
from kcjl.sandbox.xero.http import OPERATIONS, xero_app
from kcjl.sandbox.xero.settings import BooksSettings

__all__ = ["BOOKS_HOOKS", "OPERATIONS", "Books", "BooksSettings", "xero_app"]
