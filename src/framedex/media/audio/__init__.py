"""Sound: WAV, MP3, FLAC, Ogg, M4A, AAC, AIFF, Matroska. PyAV decodes all of it, because no header is exact."""
