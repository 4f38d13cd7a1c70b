"""NIfTI volumes, plain and gzipped, by nibabel."""
