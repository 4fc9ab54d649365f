"""The equations, by ion and by structure. Each is a plain function: its name is the symbol that it
defines, its arguments are the symbols that it needs, its annotations are their units."""
