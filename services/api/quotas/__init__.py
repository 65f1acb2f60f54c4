"""What each owner may use of the installation, and what it uses."""
