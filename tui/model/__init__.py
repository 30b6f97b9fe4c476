"""View models: what is to be shown, worked out from read models, with no terminal in sight."""
