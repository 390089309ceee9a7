"""AWS: sessions, clients, endpoints and error kinds. The only place that knows boto3."""
