"""CodeBuild: projects and batches, and what becomes of their builds."""
