"""Official images: found in Bottlerocket's update repository, fetched, and verified by TUF."""
