"""Everything invented: a stand-in for Brevo, and people, properties and segments for the demo."""
