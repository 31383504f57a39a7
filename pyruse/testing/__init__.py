"""For the tests of plugins: fixtures (see `pyruse.testing.plugin`), and the parts they are made of."""
