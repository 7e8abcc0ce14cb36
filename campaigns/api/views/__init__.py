"""Each call resolves, asks the domain once, and shows the answer."""
