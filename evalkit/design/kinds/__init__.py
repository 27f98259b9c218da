"""What kinds of analysis decide before outcomes, where that is more than the project's own designs."""
