"""User data of Bottlerocket nodes: the settings, as TOML, and which of them an image's release knows."""
