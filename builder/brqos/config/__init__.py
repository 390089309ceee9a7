"""What is wanted: `brqos.toml`, the shipped variants and flags become one frozen BuildSpec."""
