"""The command line: one file per command, which parses, calls the stage and prints its result, and nothing else.

Importing a command's module must cost next to nothing, since `brqos --help` imports them all: whatever is heavy
(pydantic, boto3, rich, the stages themselves) is imported inside the command's function.
"""
