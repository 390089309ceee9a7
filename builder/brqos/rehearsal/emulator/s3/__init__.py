"""S3: buckets and objects, whole and in parts."""
