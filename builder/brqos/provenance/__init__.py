"""What a build is made of and where it comes from: bill of materials, provenance, their signatures, their checks."""
