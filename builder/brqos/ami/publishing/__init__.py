"""What becomes of an available AMI: shared, marked, named in SSM, promoted."""
