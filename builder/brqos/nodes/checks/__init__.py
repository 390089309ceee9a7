"""What AWS tells of AMI, cluster and types, held against a request before anything is emitted."""
