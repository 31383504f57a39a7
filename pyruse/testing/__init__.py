"""For the tests of plugins: fixtures (see `pyruse.testing.plugin`), and what they are made of."""
