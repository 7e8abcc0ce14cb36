"""A stand-in for Brevo that speaks its HTTP API, for the demo, the tests and the benchmarks."""
