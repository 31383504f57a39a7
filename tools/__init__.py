"""What the project needs to build itself; none of it is installed."""
