"""The manual: pages for staff, by task and by kind of exception, shipped as Markdown.

`book.py` finds, lists and searches them, `typeset.py` sets them for a terminal; `kcjl manual`
shows them.
"""
