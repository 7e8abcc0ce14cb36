"""Invented people, properties and dealings: the same for the same seed, whoever asks and when."""
