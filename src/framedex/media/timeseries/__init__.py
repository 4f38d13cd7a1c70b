"""Time series as CSV."""
