"""The way of a build through its stages: skip what is done, resume, write the record."""
