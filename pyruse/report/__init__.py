"""The daily report: what is in it, how it is rendered, when it is due."""
