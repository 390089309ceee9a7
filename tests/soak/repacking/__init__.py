"""`scripts/soak --repack`: repacked images that boot with Secure Boot on, and those that must not boot."""
