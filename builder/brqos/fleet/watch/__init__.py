"""What upstream has that is newer than what is pinned, what it would change, and the pin written anew."""
