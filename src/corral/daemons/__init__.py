"""The processes of a node: the only rooms with asyncio. Supervisor, corrald, corral-api, zygote and workers."""
