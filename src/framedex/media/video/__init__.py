"""Videos: MP4, QuickTime, Matroska, WebM, AVI, MPEG-TS. PyAV reads packets; only the first frame is decoded."""
