"""What runs scripts: one driver that blocks and one for asyncio, the only modules that speak HTTP."""
