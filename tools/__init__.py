"""What developers and CI run: checks, lints, generators."""
