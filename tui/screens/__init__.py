"""One file a screen; `base` is what all share."""
