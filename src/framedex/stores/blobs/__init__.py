"""Objects: those of integrations, read where they live under the guards of design section 8, and our own on disk."""
