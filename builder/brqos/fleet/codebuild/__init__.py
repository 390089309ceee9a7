"""A fleet built on AWS CodeBuild: what is set up there, what is sent, what runs, and what comes back."""
