"""The pages about public registers and the companies in them."""
