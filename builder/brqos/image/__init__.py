"""The engines that build an image, and finding and hashing what they built."""
