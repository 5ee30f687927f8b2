"""Files of other people: told by their content, read without trust, labelled."""
