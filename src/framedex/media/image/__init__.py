"""Still images: PNG, JPEG, WebP, AVIF, HEIC, TIFF, BMP, GIF, JPEG 2000, JPEG XL. Pillow reads, with our own checks."""
