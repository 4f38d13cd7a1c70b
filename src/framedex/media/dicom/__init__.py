"""DICOM files by pydicom, and their order in a series."""
