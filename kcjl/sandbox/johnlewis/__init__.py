"""The HTTP face of the sandbox's marketplace: the Mirakl seller API over real HTTP."""
