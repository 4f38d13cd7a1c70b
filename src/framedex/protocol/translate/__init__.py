"""Between the wire and the core: total functions without I/O."""
