"""The daemon: its loop, and what it says of itself."""
