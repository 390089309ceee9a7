"""The engine that changes a built image instead of building one: two small files, and every proof of integrity anew."""
