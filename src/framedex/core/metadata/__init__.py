"""Client metadata: exact text, the `$encord` block, the schema of its keys, and the typed view with quarantine."""
