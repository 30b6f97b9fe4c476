"""The terminal monitor: what the service knows, on one screen, live and told truthfully."""
