"""The expression network of face-api.js as an offline expression measure."""
