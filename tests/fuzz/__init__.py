"""Every parser on bytes that nobody meant for it."""
