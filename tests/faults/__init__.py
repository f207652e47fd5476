"""Small faults that are planted into the code, each with the tests that must notice it."""
