"""The contract: the types and names that services and their subscribers share."""
