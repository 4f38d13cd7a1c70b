"""Protocols and value types that services use and stores, media and jobs implement. No code with effects."""
