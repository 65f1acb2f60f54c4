"""Files: opened, recognised, bounded, taken in as documents."""
