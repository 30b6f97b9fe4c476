"""The manual: pages for staff, by task and by kind of exception, shipped as Markdown.

`book.py` finds, lists and searches them; `kcjl manual` and the monitor show them.
"""
