"""Shape only: what values mean is judged by the domain."""
