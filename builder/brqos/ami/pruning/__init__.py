"""What brqos made and nobody needs any more: found, told, removed."""
