"""Things that draw: each is handed a view model and draws it, nothing more."""
