"""What a network costs, and how many networks a space holds."""
