"""What AWS has, held against what was asked for."""
