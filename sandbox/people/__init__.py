"""Invented people, properties and enrolments; the same seed always gives the same data."""
