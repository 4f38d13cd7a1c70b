"""Integration kinds `s3`, `gcs` and `azure`: objects of buckets, through obstore."""
