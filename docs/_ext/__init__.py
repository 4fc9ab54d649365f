"""What writes the pages of the site that are made from code, parameters and results."""
