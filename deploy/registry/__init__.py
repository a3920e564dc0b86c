"""Apicurio Registry on this machine: a schema registry for tests."""
