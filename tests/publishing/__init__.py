"""Publishing under fire: killed at every step, with an AWS that fails, interrupted; in real processes on loopback."""
